using MeshProxy.Proxy.Security.Tls.Certificates;
using MeshProxy.Proxy.Security.Tls.Validation;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>All that makes a TLS context, either side, compiled from configuration and secrets.</summary>
internal sealed record TlsContextSettings
{
    public required TlsParameters Parameters { get; init; }

    public IReadOnlyList<ServedCertificate> Certificates { get; init; } = [];

    /// <summary>Null: the peer's certificate is not looked at.</summary>
    public ICertificateValidator? Validator { get; init; }

    public IReadOnlyList<string> AlpnProtocols { get; init; } = [];

    public TlsKeyLog? KeyLog { get; init; }

    public required TlsStats Stats { get; init; }
}

/// <summary>What only servers have.</summary>
internal sealed record ServerTlsSettings
{
    public bool RequireClientCertificate { get; init; }

    public bool PreferClientCiphers { get; init; }

    /// <summary>Without a certificate for the server name, look for one that fits the client's algorithms.</summary>
    public bool FullScan { get; init; }

    public bool StatelessResumption { get; init; } = true;

    public bool StatefulResumption { get; init; } = true;

    /// <summary>Null: a random key of the context.</summary>
    public TicketKeys? TicketKeys { get; init; }

    public TimeSpan? SessionTimeout { get; init; }
}

/// <summary>What only clients have.</summary>
internal sealed record ClientTlsSettings
{
    public string Sni { get; init; } = "";

    /// <summary>SNI is the endpoint's hostname where it has one.</summary>
    public bool AutoHostSni { get; init; }

    /// <summary>The server name sent must be among the server's DNS names.</summary>
    public bool ValidateSni { get; init; }

    public bool AllowRenegotiation { get; init; }

    public bool EnforceRsaKeyUsage { get; init; }

    /// <summary>Sessions kept for resumption (Envoy: max_session_keys, 1).</summary>
    public uint MaxSessionKeys { get; init; } = 1;
}
