using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.InternalUpstream.V3;
using Envoy.Extensions.TransportSockets.ProxyProtocol.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;

namespace MeshProxy.Proxy.Explanation;

/// <summary>What a transport socket asks for, in words.</summary>
public static class TransportTexts
{
    public static bool IsTls(TransportSocket? socket) => Downstream(socket) is not null || Upstream(socket) is not null;

    /// <summary>The TLS context of a filter chain; null for plaintext.</summary>
    public static DownstreamTlsContext? Downstream(TransportSocket? socket) =>
        socket?.TypedConfig is { } typed && typed.TryUnpack<DownstreamTlsContext>(out var tls) ? tls : null;

    /// <summary>The TLS context towards endpoints, also inside wrapping sockets; null for plaintext.</summary>
    public static UpstreamTlsContext? Upstream(TransportSocket? socket)
    {
        if (socket?.TypedConfig is not { } typed)
        {
            return null;
        }
        if (typed.TryUnpack<UpstreamTlsContext>(out var tls))
        {
            return tls;
        }
        if (typed.TryUnpack<ProxyProtocolUpstreamTransport>(out var proxyProtocol))
        {
            return Upstream(proxyProtocol.TransportSocket);
        }
        return typed.TryUnpack<InternalUpstreamTransport>(out var internalUpstream) ? Upstream(internalUpstream.TransportSocket) : null;
    }

    /// <summary>`plaintext`, `TLS`, `mutual TLS`: towards endpoints.</summary>
    public static string OfUpstream(TransportSocket? socket)
    {
        if (Upstream(socket) is not { } tls)
        {
            return socket?.TypedConfig is { } typed && typed.Is<InternalUpstreamTransport>() ? "internal listener" : "plaintext";
        }
        var kind = tls.CommonTlsContext is { } common && ShowsCertificate(common) ? "mutual TLS" : "TLS";
        return tls.Sni.Length > 0 ? $"{kind}, SNI {tls.Sni}" : kind;
    }

    /// <summary>Whether an own certificate is configured, in place or by name.</summary>
    public static bool ShowsCertificate(CommonTlsContext common) =>
        common.TlsCertificates.Count > 0 || common.TlsCertificateSdsSecretConfigs.Count > 0
        || common.TlsCertificateProviderInstance is not null;

    /// <summary>Facts of a context for a list: certificates, roots, names, versions, ALPN.</summary>
    public static IReadOnlyList<string> Describe(CommonTlsContext common)
    {
        var facts = new List<string>();
        foreach (var secret in common.TlsCertificateSdsSecretConfigs)
        {
            facts.Add($"own certificate: secret {secret.Name}");
        }
        foreach (var certificate in common.TlsCertificates)
        {
            facts.Add($"own certificate: {Source(certificate.CertificateChain)}");
        }
        AddValidation(facts, common);
        if (common.AlpnProtocols.Count > 0)
        {
            facts.Add($"ALPN: {string.Join(", ", common.AlpnProtocols)}");
        }
        if (common.TlsParams is { } parameters && parameters.TlsMinimumProtocolVersion != TlsParameters.TlsProtocol.TlsAuto)
        {
            facts.Add($"lowest version: {parameters.TlsMinimumProtocolVersion}");
        }
        return facts;
    }

    private static void AddValidation(List<string> facts, CommonTlsContext common)
    {
        if (common.ValidationContextSdsSecretConfig is { } secret)
        {
            facts.Add($"trusted roots: secret {secret.Name}");
        }
        if (common.ValidationContext is { } context)
        {
            AddValidation(facts, context);
        }
        if (common.CombinedValidationContext is { } combined)
        {
            if (combined.ValidationContextSdsSecretConfig is { } shared)
            {
                facts.Add($"trusted roots: secret {shared.Name}");
            }
            if (combined.DefaultValidationContext is { } own)
            {
                AddValidation(facts, own);
            }
        }
    }

    private static void AddValidation(List<string> facts, CertificateValidationContext context)
    {
        if (context.TrustedCa is { } roots)
        {
            facts.Add($"trusted roots: {Source(roots)}");
        }
        var names = context.MatchTypedSubjectAltNames.Select(static name => MessageTexts.Short(name.Matcher?.Message))
            .Concat(context.MatchSubjectAltNames.Select(static name => MessageTexts.Short(name.Message)));
        foreach (var name in names)
        {
            facts.Add($"the peer's name must match {name}");
        }
    }

    private static string Source(DataSource? source) =>
        source is not { } given ? "none" : given.Filename.Length > 0 ? given.Filename : "in the configuration";
}
