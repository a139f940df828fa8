using Envoy.Admin.V3;
using MeshProxy.Proxy.Security.Tls;
using Details = MeshProxy.Proxy.Security.Tls.CertificateDetails;
using Message = Envoy.Admin.V3.CertificateDetails;

namespace MeshProxy.Proxy.Admin;

/// <summary>Certificates of the TLS contexts in use as /certs shows them.</summary>
internal static class CertificateMessages
{
    public static IEnumerable<Certificate> Of(TlsContextManager contexts, DateTimeOffset now)
    {
        foreach (var context in contexts.Certificates())
        {
            var certificate = Certificate.New();
            foreach (var authority in context.Authorities)
            {
                certificate.CaCert.Add(Of(authority, now));
            }
            foreach (var own in context.Own)
            {
                certificate.CertChain.Add(Of(own, now));
            }
            yield return certificate;
        }
    }

    private static Message Of(Details details, DateTimeOffset now)
    {
        var message = Message.New();
        message.Path = details.Path;
        message.SerialNumber = details.SerialNumber;
        message.DaysUntilExpiration = (ulong)Math.Max(0, Math.Floor((details.ExpirationTime - now).TotalDays));
        message.ValidFrom = details.ValidFrom;
        message.ExpirationTime = details.ExpirationTime;
        Add(message, details.DnsNames, static (ref SubjectAlternateName name, string text) => name.Dns = text);
        Add(message, details.UriNames, static (ref SubjectAlternateName name, string text) => name.Uri = text);
        Add(message, details.IpAddresses, static (ref SubjectAlternateName name, string text) => name.IpAddress = text);
        return message;
    }

    private delegate void Setter(ref SubjectAlternateName name, string text);

    private static void Add(Message message, IReadOnlyList<string> texts, Setter set)
    {
        foreach (var text in texts)
        {
            var name = SubjectAlternateName.New();
            set(ref name, text);
            message.SubjectAltNames.Add(name);
        }
    }
}
