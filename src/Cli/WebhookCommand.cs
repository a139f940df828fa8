using System.CommandLine;
using System.Net;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Offline;
using MeshProxy.Injection.Webhook;

namespace MeshProxy.Cli;

/// <summary>`meshproxy webhook`: puts the proxy into pods as the API server makes them.</summary>
internal static class WebhookCommand
{
    private static readonly Option<string> Https = new("--https")
    {
        Description = "The address to serve HTTPS on.",
        DefaultValueFactory = _ => "[::]:15017",
    };

    private static readonly Option<string?> Http = new("--http") { Description = "An address to serve plain HTTP on instead." };

    private static readonly Option<string?> Monitoring = new("--monitoring")
    {
        Description = "The address of /healthz, /readyz and /metrics.",
        DefaultValueFactory = line => line.GetValue(Http) is null ? "[::]:15014" : null,
    };

    private static readonly Option<string?> ValuesFile = new("--valuesFile") { Description = "Values of the istiod chart that differ from its defaults; read again when it changes." };
    private static readonly Option<string?> MeshFile = new("--meshConfigFile") { Description = "A part of MeshConfig; read again when it changes." };
    private static readonly Option<string> Revision = new("--revision") { Description = "The control plane's revision.", DefaultValueFactory = _ => "" };
    private static readonly Option<string?> Kubelets = new("--kubelets") { Description = "Versions of the nodes' kubelets, instead of asking the cluster." };
    private static readonly Option<string?> Certificate = new("--tls-cert-file") { Description = "A certificate that somebody else renews, instead of one of our own." };
    private static readonly Option<string?> Key = new("--tls-key-file") { Description = "Its key." };

    private static readonly Option<string> Service = new("--service")
    {
        Description = "The Service in front of the webhook.",
        DefaultValueFactory = _ => "meshproxy-injector",
    };

    private static readonly Option<string> Namespace = new("--namespace")
    {
        Description = "The namespace of the Service (default: $POD_NAMESPACE).",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("POD_NAMESPACE") ?? "meshproxy-system",
    };

    private static readonly Option<string[]> Configurations = new("--webhook-configuration")
    {
        Description = "A MutatingWebhookConfiguration that gets our authority; may be repeated.",
    };

    public static int Run(string[] arguments)
    {
        var command = new Command("webhook", "Puts the proxy into pods as the API server makes them.")
        {
            Https, Http, Monitoring, ValuesFile, MeshFile, Revision, Kubelets, Certificate, Key, Service, Namespace, Configurations,
        };
        command.SetAction(Start);
        return CommandLine.Invoke(command, arguments);
    }

    private static int Start(ParseResult line)
    {
        try
        {
            using var service = new WebhookService(Options(line), Console.Error.WriteLine);
            return service.RunUntilSignalAsync().GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is ManifestException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"Error: {e.Message}");
            return 1;
        }
    }

    private static WebhookOptions Options(ParseResult line) => new()
    {
        Listen = Address(line.GetValue(Http) ?? line.GetValue(Https)!),
        PlainHttp = line.GetValue(Http) is not null,
        Monitoring = line.GetValue(Monitoring) is { } monitoring ? Address(monitoring) : null,
        Revision = line.GetValue(Revision)!,
        ValuesFile = line.GetValue(ValuesFile),
        MeshConfigFile = line.GetValue(MeshFile),
        NativeSidecars = NativeSidecarModes.Parse(Environment.GetEnvironmentVariable("ENABLE_NATIVE_SIDECARS")),
        Kubelets = line.GetValue(Kubelets),
        CertificateFile = line.GetValue(Certificate),
        KeyFile = line.GetValue(Key),
        Service = line.GetValue(Service)!,
        Namespace = line.GetValue(Namespace)!,
        Configurations = line.GetValue(Configurations) ?? [],
        CompliancePolicy = Environment.GetEnvironmentVariable("COMPLIANCE_POLICY") ?? "",
    };

    private static IPEndPoint Address(string text) => IPEndPoint.TryParse(text, out var address)
        ? address
        : throw new ManifestException($"\"{text}\" is no address: write IP:PORT, such as 0.0.0.0:15017 or [::]:15017");
}
