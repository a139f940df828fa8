using System.Net;
using MeshProxy.Injection.Offline;

namespace MeshProxy.Injection.Webhook;

/// <summary>How the webhook is run; see `meshproxy webhook --help`.</summary>
public sealed record WebhookOptions
{
    /// <summary>Where HTTPS is served.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>Whether that is plain HTTP, for tests and behind a proxy that ends TLS.</summary>
    public bool PlainHttp { get; init; }
    public IPEndPoint? Monitoring { get; init; }
    public string Revision { get; init; } = "";
    public string? ValuesFile { get; init; }
    public string? MeshConfigFile { get; init; }
    public NativeSidecarMode NativeSidecars { get; init; }

    /// <summary>Versions of the kubelets instead of the cluster's nodes: `v1.33.0,v1.34.1`; empty for no nodes.</summary>
    public string? Kubelets { get; init; }

    /// <summary>A certificate that somebody else renews, instead of one of our own.</summary>
    public string? CertificateFile { get; init; }
    public string? KeyFile { get; init; }

    /// <summary>The Service in front of the webhook, whose name the certificate has.</summary>
    public string Service { get; init; } = "meshproxy-injector";
    public string Namespace { get; init; } = "meshproxy-system";

    /// <summary>The MutatingWebhookConfigurations that get our certificate's authority.</summary>
    public IReadOnlyList<string> Configurations { get; init; } = [];
    public string CompliancePolicy { get; init; } = "";
}
