using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.Tls.Native;
using MeshProxy.Proxy.Transport;
using Config = Envoy.Extensions.TransportSockets.Tls.V3.DownstreamTlsContext;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>A DownstreamTlsContext, compiled.</summary>
internal sealed class DownstreamTlsFactory : IDownstreamTransportSocketFactory, IDisposable
{
    private readonly TlsContextAssembly _assembly;
    private readonly TlsContextSource _source;
    private readonly IStatsScope _scope;
    private readonly Counter _notReady;

    private DownstreamTlsFactory(TlsContextAssembly assembly, IStatsScope scope)
    {
        _assembly = assembly;
        _source = assembly.Source;
        _scope = scope;
        _notReady = scope.Counter("downstream_context_secrets_not_ready");
    }

    public bool ImplementsSecureTransport => true;

    public bool IsReady => _source.Current is not null;

    public static DownstreamTlsFactory Compile(Config config, FactoryContext context, TlsContextManager manager)
    {
        var common = config.CommonTlsContext ?? Envoy.Extensions.TransportSockets.Tls.V3.CommonTlsContext.New();
        if (common.TlsCertificates.Count == 0 && common.TlsCertificateSdsSecretConfigs.Count == 0
            && common.CustomTlsCertificateSelector is null)
        {
            throw new ConfigurationException("No TLS certificates found for server context");
        }
        if (config.RequireSni == true)
        {
            throw new ConfigurationException("require_sni is not supported, as in Envoy: match server_names in filter_chain_match instead.");
        }
        if (config.OcspStaplePolicyValue == Config.OcspStaplePolicy.MustStaple)
        {
            throw new ConfigurationException("Required OCSP response is missing from TLS context");
        }
        var server = new ServerTlsSettings
        {
            RequireClientCertificate = config.RequireClientCertificate ?? false,
            PreferClientCiphers = config.PreferClientCiphers,
            FullScan = config.FullScanCertsOnSniMismatch ?? false,
            StatelessResumption = !config.DisableStatelessSessionResumption,
            StatefulResumption = !config.DisableStatefulSessionResumption,
            TicketKeys = config.SessionTicketKeys is { } keys ? ReadKeys(keys) : null,
            SessionTimeout = config.SessionTimeout,
        };
        var scope = context.Scope.Scope("server_ssl_socket_factory");
        var assembly = TlsContextAssembly.Start(common, OpenSslConstants.Tls13, config.SessionTicketKeysSdsSecretConfig, context, scope,
            manager, (settings, ticketKeys) => new ServerTlsContext(
                settings, ticketKeys is null ? server : server with { TicketKeys = ticketKeys }));
        return new DownstreamTlsFactory(assembly, scope);
    }

    /// <summary>The owner is gone: secrets are no longer followed.</summary>
    public void Dispose()
    {
        _assembly.Dispose();
        _scope.Dispose();
    }

    public ITransportSocket Create()
    {
        if (_source.Current is ServerTlsContext context)
        {
            return new TlsSocket(context);
        }
        _notReady.Inc();
        return new NotReadyTlsSocket();
    }

    private static TicketKeys ReadKeys(Envoy.Extensions.TransportSockets.Tls.V3.TlsSessionTicketKeys keys) => new(
        keys.Keys.Select(static k => SecretData.Read(k, "session_ticket_keys.keys")?.Bytes ?? []));
}
