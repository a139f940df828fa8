using System.CommandLine;
using System.Net;
using MeshProxy.ControlPlane;

namespace MeshProxy.Cli;

/// <summary>`meshproxy control-plane`: serves a folder of resources over xDS, and certificates of its own authority.</summary>
internal static class ControlPlaneCommand
{
    private static readonly Option<string> Folder = new("--dir")
    {
        Description = "The folder of resources: files for every node, and a folder per node, named by its id.",
        Required = true,
    };

    private static readonly Option<string> Listen = new("--listen")
    {
        Description = "The address to serve xDS on.",
        DefaultValueFactory = _ => "[::]:15010",
    };

    private static readonly Option<string?> Monitoring = new("--monitoring")
    {
        Description = "An address to serve /healthz, /readyz and /metrics on over HTTP/1.1.",
    };

    private static readonly Option<string?> AuthorityFolder = new("--ca-dir")
    {
        Description = "The folder of the authority: ca-cert.pem, ca-key.pem, root-cert.pem (default: .ca in --dir).",
    };

    private static readonly Option<string> TrustDomain = new("--trust-domain")
    {
        Description = "The trust domain of the identities.",
        DefaultValueFactory = _ => "cluster.local",
    };

    private static readonly Option<int> Lifetime = new("--cert-ttl-seconds")
    {
        Description = "How long certificates are valid; they are replaced at half of it.",
        DefaultValueFactory = _ => 24 * 60 * 60,
    };

    private static readonly Option<string?> Certificate = new("--tls-cert-file") { Description = "A certificate to serve TLS with." };
    private static readonly Option<string?> Key = new("--tls-key-file") { Description = "Its key." };

    private static readonly Option<string?> ClientAuthority = new("--client-ca-file")
    {
        Description = "Authorities of client certificates, which are demanded and decide the identity then.",
    };

    public static int Run(string[] arguments)
    {
        var command = new Command("control-plane", "Serves a folder of resources over xDS, and certificates over SDS.")
        {
            Folder, Listen, Monitoring, AuthorityFolder, TrustDomain, Lifetime, Certificate, Key, ClientAuthority,
        };
        command.SetAction(line => ServeAsync(line).GetAwaiter().GetResult());
        return CommandLine.Invoke(command, arguments);
    }

    private static async Task<int> ServeAsync(ParseResult line)
    {
        try
        {
            await using var service = new ControlPlaneService(Options(line), Console.Error.WriteLine);
            await service.RunUntilSignalAsync();
            return 0;
        }
        catch (ControlPlaneException e)
        {
            Console.Error.WriteLine($"Error: {e.Message}");
            return 1;
        }
    }

    private static ControlPlaneOptions Options(ParseResult line)
    {
        if (line.GetValue(ClientAuthority) is not null && line.GetValue(Certificate) is null)
            throw new ControlPlaneException("client certificates need TLS: give --tls-cert-file as well");
        if (line.GetValue(Lifetime) <= 0)
            throw new ControlPlaneException("certificates must be valid for some time: give --cert-ttl-seconds above 0");
        return new ControlPlaneOptions
        {
            Directory = line.GetValue(Folder)!,
            Listen = Address(line.GetValue(Listen)!),
            Monitoring = line.GetValue(Monitoring) is { } monitoring ? Address(monitoring) : null,
            AuthorityDirectory = line.GetValue(AuthorityFolder),
            TrustDomain = line.GetValue(TrustDomain)!,
            CertificateLifetime = TimeSpan.FromSeconds(line.GetValue(Lifetime)),
            CertificateFile = line.GetValue(Certificate),
            KeyFile = line.GetValue(Key),
            ClientAuthorityFile = line.GetValue(ClientAuthority),
        };
    }

    private static IPEndPoint Address(string text) => IPEndPoint.TryParse(text, out var address)
        ? address
        : throw new ControlPlaneException($"\"{text}\" is no address: write IP:PORT, such as 127.0.0.1:15010");
}
