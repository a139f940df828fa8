using MeshProxy.Proxy.Security.Tls.Certificates;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>All TLS contexts in use, for /certs and the expiry gauge (Envoy's ContextManager). From any thread.</summary>
public sealed class TlsContextManager
{
    private readonly object _gate = new();
    private readonly List<WeakReference<TlsContextSource>> _sources = [];

    internal void Add(TlsContextSource source)
    {
        lock (_gate)
        {
            _sources.RemoveAll(static s => !s.TryGetTarget(out _));
            _sources.Add(new WeakReference<TlsContextSource>(source));
        }
    }

    /// <summary>The certificates of every context: what it shows and whom it trusts.</summary>
    public IReadOnlyList<TlsContextCertificates> Certificates()
    {
        var all = new List<TlsContextCertificates>();
        foreach (var context in Contexts())
        {
            all.Add(new TlsContextCertificates(
                [.. context.Authorities.Select(static c => new CertificateDetails(c))],
                [.. context.Own.Select(static c => new CertificateDetails(c))]));
        }
        return all;
    }

    /// <summary>Whole days until the first certificate expires, 0 when one has, null when there are none.</summary>
    public uint? DaysUntilFirstCertificateExpires(DateTimeOffset now)
    {
        uint? first = null;
        foreach (var context in Contexts())
        {
            foreach (var certificate in context.Own.Concat(context.Authorities))
            {
                var days = (uint)Math.Max(0, Math.Floor((certificate.Facts.NotAfter - now).TotalDays));
                first = first is { } known ? Math.Min(known, days) : days;
            }
        }
        return first;
    }

    private List<TlsContext> Contexts()
    {
        lock (_gate)
        {
            var contexts = new List<TlsContext>();
            foreach (var reference in _sources)
            {
                if (reference.TryGetTarget(out var source) && source is { Disposed: false, Current: { } context })
                {
                    contexts.Add(context);
                }
            }
            return contexts;
        }
    }
}

/// <summary>One context as /certs shows it.</summary>
public sealed record TlsContextCertificates(IReadOnlyList<CertificateDetails> Authorities, IReadOnlyList<CertificateDetails> Own);

/// <summary>One certificate as /certs shows it (admin.v3.CertificateDetails).</summary>
public sealed class CertificateDetails
{
    internal CertificateDetails(LoadedCertificate certificate)
    {
        Path = certificate.Path;
        SerialNumber = certificate.Facts.Serial;
        ValidFrom = certificate.Facts.NotBefore;
        ExpirationTime = certificate.Facts.NotAfter;
        DnsNames = certificate.Facts.Names.Dns;
        UriNames = certificate.Facts.Names.Uri;
        IpAddresses = certificate.Facts.Names.Ip;
    }

    public string Path { get; }

    public string SerialNumber { get; }

    public DateTimeOffset ValidFrom { get; }

    public DateTimeOffset ExpirationTime { get; }

    public IReadOnlyList<string> DnsNames { get; }

    public IReadOnlyList<string> UriNames { get; }

    public IReadOnlyList<string> IpAddresses { get; }
}
