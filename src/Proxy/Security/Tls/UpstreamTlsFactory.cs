using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.Tls.Native;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using Config = Envoy.Extensions.TransportSockets.Tls.V3.UpstreamTlsContext;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>An UpstreamTlsContext, compiled.</summary>
internal sealed class UpstreamTlsFactory : IUpstreamTransportSocketFactory, IDisposable
{
    private readonly TlsContextAssembly _assembly;
    private readonly TlsContextSource _source;
    private readonly IStatsScope _scope;
    private readonly Counter _notReady;

    private UpstreamTlsFactory(TlsContextAssembly assembly, IStatsScope scope)
    {
        _assembly = assembly;
        _source = assembly.Source;
        _scope = scope;
        _notReady = scope.Counter("upstream_context_secrets_not_ready");
    }

    public bool ImplementsSecureTransport => true;

    public bool IsReady => _source.Current is not null;

    public bool SupportsAlpn => true;

    public static UpstreamTlsFactory Compile(Config config, FactoryContext context, TlsContextManager manager)
    {
        var common = config.CommonTlsContext ?? Envoy.Extensions.TransportSockets.Tls.V3.CommonTlsContext.New();
        if (common.TlsCertificates.Count + common.TlsCertificateSdsSecretConfigs.Count > 1)
        {
            throw new ConfigurationException("Multiple TLS certificates are not supported for client contexts");
        }
        if (config.Sni.Contains('\0'))
        {
            throw new ConfigurationException("SNI names containing NULL-byte are not allowed");
        }
        var client = new ClientTlsSettings
        {
            Sni = config.Sni,
            AutoHostSni = config.AutoHostSni,
            ValidateSni = config.AutoSniSanValidation,
            AllowRenegotiation = config.AllowRenegotiation,
            EnforceRsaKeyUsage = config.EnforceRsaKeyUsage ?? false,
            MaxSessionKeys = config.MaxSessionKeys ?? 1,
        };
        if (client.ValidateSni && common.ValidationContextTypeCase
            == Envoy.Extensions.TransportSockets.Tls.V3.CommonTlsContext.ValidationContextTypeOneofCase.None)
        {
            throw new ConfigurationException(
                "'auto_sni_san_validation' was configured without a validation context configured with trusted_ca");
        }
        var scope = context.Scope.Scope("client_ssl_socket_factory");
        var assembly = TlsContextAssembly.Start(common, OpenSslConstants.Tls12, null, context, scope, manager,
            (settings, _) => new ClientTlsContext(settings, client));
        return new UpstreamTlsFactory(assembly, scope);
    }

    /// <summary>The owner is gone: secrets are no longer followed.</summary>
    public void Dispose()
    {
        _assembly.Dispose();
        _scope.Dispose();
    }

    public ITransportSocket Create(TransportSocketOptions? options, Host host)
    {
        if (_source.Current is not ClientTlsContext context)
        {
            _notReady.Inc();
            return new NotReadyTlsSocket();
        }
        var name = ServerName(context.Client, options, host);
        var required = options?.VerifySubjectAltNamesOverride ?? [];
        if (context.Client.ValidateSni && name.Length > 0)
        {
            required = [name];
        }
        return new TlsSocket(context, new TlsClientRequest(name, Alpn(context, options), required));
    }

    public TransportSocketOptions? SharingKey(TransportSocketOptions? options)
    {
        if (options is null || (options.ServerNameOverride is null && options.VerifySubjectAltNamesOverride.Count == 0
            && options.ApplicationProtocolListOverride.Count == 0 && options.ApplicationProtocolFallback.Count == 0))
        {
            return null;
        }
        return new TransportSocketOptions
        {
            ServerNameOverride = options.ServerNameOverride,
            VerifySubjectAltNamesOverride = options.VerifySubjectAltNamesOverride,
            ApplicationProtocolListOverride = options.ApplicationProtocolListOverride,
            ApplicationProtocolFallback = options.ApplicationProtocolFallback,
        };
    }

    // The connection's own name first, then the endpoint's, then the configured one (Envoy's ClientContextImpl::newSsl).
    private static string ServerName(ClientTlsSettings client, TransportSocketOptions? options, Host host) =>
        options?.ServerNameOverride is { } name ? name
        : client.AutoHostSni && host.Hostname.Length > 0 ? host.Hostname
        : client.Sni;

    private static byte[] Alpn(ClientTlsContext context, TransportSocketOptions? options)
    {
        if (options is { ApplicationProtocolListOverride.Count: > 0 })
        {
            return TlsContext.EncodeAlpn(options.ApplicationProtocolListOverride);
        }
        return context.AlpnWire.Length == 0 && options is { ApplicationProtocolFallback.Count: > 0 }
            ? TlsContext.EncodeAlpn(options.ApplicationProtocolFallback) : context.AlpnWire;
    }
}
