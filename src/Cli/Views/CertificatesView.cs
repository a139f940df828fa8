using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Explanation;

namespace MeshProxy.Cli.Views;

/// <summary>`meshproxy certs`: as `istioctl proxy-config secret`, and how long each certificate is still good.</summary>
internal static class CertificatesView
{
    private const string Time = "yyyy-MM-ddTHH:mm:ssZ";

    private static readonly ViewOptions Options = new();

    public static Command Create(string name)
    {
        var command = new Command(name, "Lists certificates and roots with their validity.");
        if (name == "secret")
        {
            command.Aliases.Add("secrets");
            command.Aliases.Add("certs");
        }
        Options.AddTo(command);
        command.SetAction(static line => CommandLine.Guard(() => Show(line)));
        return command;
    }

    private static int Show(ParseResult line)
    {
        var dump = Options.Dump(line);
        return Options.Print(line, dump.Secrets.Select(static entry => entry.Resource.Message), output =>
        {
            var table = new TextTable(
                "RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE", "EXPIRES IN");
            foreach (var entry in dump.Secrets)
            {
                AddRow(table, entry);
            }
            foreach (var name in dump.MissingSecrets)
            {
                table.Add(name, "", "WARMING", "false", "", "", "", "");
            }
            table.Write(output);
        });
    }

    private static void AddRow(TextTable table, DumpedResource<Secret> entry)
    {
        var secret = entry.Resource;
        var (type, source) = secret.TlsCertificate is { } own ? ("Cert Chain", own.CertificateChain)
            : secret.ValidationContext is { } roots ? ("CA", roots.TrustedCa) : ("Other", null);
        var status = entry.State == DumpState.Warming ? "WARMING" : "ACTIVE";
        if (source is null || First(source.Value) is not { } certificate)
        {
            table.Add(secret.Name, type, status, "false", "", "", "", source?.Filename is { Length: > 0 } file ? $"in {file}" : "");
            return;
        }
        using (certificate)
        {
            var now = DateTime.UtcNow;
            var (after, before) = (certificate.NotAfter.ToUniversalTime(), certificate.NotBefore.ToUniversalTime());
            table.Add(secret.Name, type, status, now >= before && now <= after ? "true" : "false",
                certificate.SerialNumber.ToLowerInvariant(), after.ToString(Time), before.ToString(Time), Remaining(after - now));
        }
    }

    // The leaf comes first in a chain.
    private static X509Certificate2? First(DataSource source)
    {
        var text = source.SpecifierCase switch
        {
            DataSource.SpecifierOneofCase.InlineBytes => Encoding.ASCII.GetString(source.InlineBytes.Span),
            DataSource.SpecifierOneofCase.InlineString => source.InlineString,
            _ => "",
        };
        try
        {
            return text.Length > 0 ? X509Certificate2.CreateFromPem(text) : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static string Remaining(TimeSpan time) => time < TimeSpan.Zero ? "EXPIRED"
        : time.TotalDays >= 2 ? $"{(int)time.TotalDays}d" : time.TotalHours >= 2 ? $"{(int)time.TotalHours}h" : $"{(int)time.TotalMinutes}m";
}
