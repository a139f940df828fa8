using System.Text;
using MeshProxy.Proxy.Transport;
using Config = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager;
using Mode = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.ForwardClientCertDetails;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>What becomes of x-forwarded-client-cert (upstream 16).</summary>
internal sealed class ClientCertificateForwarding
{
    public static readonly ClientCertificateForwarding Sanitize = new(Mode.Sanitize, null);

    private readonly Mode _mode;
    private readonly bool _subject;
    private readonly bool _cert;
    private readonly bool _chain;
    private readonly bool _dns;
    private readonly bool _uri;

    private ClientCertificateForwarding(Mode mode, Config.SetCurrentClientCertDetails? details)
    {
        _mode = mode;
        _subject = details?.Subject ?? false;
        _cert = details?.Cert ?? false;
        _chain = details?.Chain ?? false;
        _dns = details?.Dns ?? false;
        _uri = details?.Uri ?? false;
    }

    public static ClientCertificateForwarding Compile(Config config) =>
        new(config.ForwardClientCertDetailsValue, config.SetCurrentClientCertDetailsValue);

    public void Mutate(HeaderMap headers, ITlsConnectionInfo? tls)
    {
        if (_mode == Mode.AlwaysForwardOnly)
        {
            return;
        }
        // Whoever did not prove who it is must not say who it acts for.
        if (_mode == Mode.Sanitize || tls is null || !tls.PeerCertificatePresented)
        {
            headers.Remove(KnownHeader.XForwardedClientCert);
            return;
        }
        if (_mode == Mode.ForwardOnly)
        {
            return;
        }
        var element = Element(tls);
        if (_mode == Mode.SanitizeSet)
        {
            headers.Remove(KnownHeader.XForwardedClientCert);
        }
        if (element.Length > 0)
        {
            HeaderUtility.Append(headers, KnownHeader.XForwardedClientCert, default, Encoding.Latin1.GetBytes(element));
        }
    }

    // By, Hash, then what is asked for: the order Envoy writes and backends parse.
    private string Element(ITlsConnectionInfo tls)
    {
        var text = new StringBuilder();
        foreach (var uri in tls.UriSansLocalCertificate)
        {
            Add(text, "By", uri);
        }
        if (tls.Sha256PeerCertificateDigest.Length > 0)
        {
            Add(text, "Hash", tls.Sha256PeerCertificateDigest);
        }
        if (_cert && tls.UrlEncodedPemPeerCertificate.Length > 0)
        {
            Add(text, "Cert", $"\"{tls.UrlEncodedPemPeerCertificate}\"");
        }
        if (_chain && tls.UrlEncodedPemPeerCertificateChain.Length > 0)
        {
            Add(text, "Chain", $"\"{tls.UrlEncodedPemPeerCertificateChain}\"");
        }
        if (_subject)
        {
            Add(text, "Subject", $"\"{tls.SubjectPeerCertificate}\"");
        }
        if (_uri)
        {
            foreach (var uri in tls.UriSansPeerCertificate)
            {
                Add(text, "URI", uri);
            }
            if (tls.UriSansPeerCertificate.Count == 0)
            {
                Add(text, "URI", "");
            }
        }
        if (_dns)
        {
            foreach (var name in tls.DnsSansPeerCertificate)
            {
                Add(text, "DNS", name);
            }
        }
        return text.ToString();
    }

    private static void Add(StringBuilder text, string key, string value)
    {
        if (text.Length > 0)
        {
            text.Append(';');
        }
        text.Append(key).Append('=').Append(value);
    }
}
