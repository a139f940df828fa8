using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using Source = Envoy.Config.Core.V3.DataSource;

namespace MeshProxy.Proxy.Security.Secrets;

/// <summary>The files that a secret points to.</summary>
internal static class SecretFiles
{
    /// <summary>Reads that must agree before a pair is believed: files may be replaced one after the other.</summary>
    private const int Attempts = 5;

    /// <summary>A copy with the files' content in place of their names; a ConfigurationException when one cannot be read.</summary>
    public static Secret Resolve(Secret secret)
    {
        if (!Paths(secret).Any())
        {
            return secret;
        }
        var first = ReadAll(secret);
        for (var i = 1; i < Attempts; i++)
        {
            var second = ReadAll(secret);
            if (second.Message.Equals(first.Message))
            {
                return second;
            }
            first = second;
        }
        throw new ConfigurationException($"The files of the secret '{secret.Name}' change while they are read: replace them in one step.");
    }

    /// <summary>A directory whose moves stand for changes of all files of the secret; null when the files themselves are followed.</summary>
    public static string? WatchedDirectory(Secret secret) =>
        (secret.TlsCertificate?.WatchedDirectory ?? secret.ValidationContext?.WatchedDirectory)?.Path;

    public static IEnumerable<string> Paths(Secret secret) => Sources(secret)
        .Where(static s => s.SpecifierCase == Source.SpecifierOneofCase.Filename)
        .Select(static s => s.Filename);

    private static Secret ReadAll(Secret secret)
    {
        var copy = Secret.From(secret.Message.Clone());
        foreach (var source in Sources(copy).ToArray())
        {
            if (source.SpecifierCase == Source.SpecifierOneofCase.Filename)
            {
                var written = source;
                written.InlineBytes = DataSource.Read(source, int.MaxValue, $"secret {secret.Name}");
            }
        }
        return copy;
    }

    private static IEnumerable<Source> Sources(Secret secret)
    {
        Source?[] sources = secret.TypeCase switch
        {
            Secret.TypeOneofCase.TlsCertificate when secret.TlsCertificate is { } c =>
                [c.CertificateChain, c.PrivateKey, c.Password, c.OcspStaple, c.Pkcs12],
            Secret.TypeOneofCase.ValidationContext when secret.ValidationContext is { } v => [v.TrustedCa, v.Crl],
            Secret.TypeOneofCase.SessionTicketKeys when secret.SessionTicketKeys is { } k => [.. k.Keys.Select(static s => (Source?)s)],
            Secret.TypeOneofCase.GenericSecret when secret.GenericSecret is { } g =>
                [g.Secret, .. g.Secrets.Select(static s => (Source?)s.Value)],
            _ => [],
        };
        foreach (var source in sources)
        {
            if (source is { } present)
            {
                yield return present;
            }
        }
    }
}
