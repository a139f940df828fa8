using System.Collections.Concurrent;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>`ssl.` counters of a listener or cluster (Envoy's SslStats); ciphers, versions and curves are counted by the names met.</summary>
internal sealed class TlsStats : IDisposable
{
    private static readonly StatBlockLayout Layout = new([.. Enum.GetValues<TlsStat>().Select(
        static s => (Name(s), StatKind.Counter))]);

    private readonly IStatsScope _scope;
    private readonly StatBlock _block;
    private readonly ConcurrentDictionary<int, Counter> _ciphers = new();
    private readonly ConcurrentDictionary<int, Counter> _versions = new();
    private readonly ConcurrentDictionary<int, Counter> _groups = new();
    private readonly ConcurrentDictionary<int, Counter> _signatures = new();

    public TlsStats(IStatsScope owner)
    {
        _scope = owner.Scope("ssl");
        _block = _scope.Block(Layout);
    }

    public void Dispose() => _scope.Dispose();

    public void Inc(TlsStat stat) => _block.Inc((int)stat);

    public void CountSession(int cipher, string cipherName, int version, string versionName, int group, int signature)
    {
        Count(_ciphers, cipher, "ciphers", cipherName);
        Count(_versions, version, "versions", versionName);
        if (TlsNames.Group(group) is { } groupName)
        {
            Count(_groups, group, "curves", groupName);
        }
        if (TlsNames.Signature(signature) is { } signatureName)
        {
            Count(_signatures, signature, "sigalgs", signatureName);
        }
    }

    private void Count(ConcurrentDictionary<int, Counter> counters, int key, string kind, string name)
    {
        if (!counters.TryGetValue(key, out var counter))
        {
            counter = counters.GetOrAdd(key, _scope.Counter($"{kind}.{name}"));
        }
        counter.Inc();
    }

    private static string Name(TlsStat stat) => stat switch
    {
        TlsStat.ConnectionError => "connection_error",
        TlsStat.Handshake => "handshake",
        TlsStat.SessionReused => "session_reused",
        TlsStat.NoCertificate => "no_certificate",
        TlsStat.FailVerifyNoCert => "fail_verify_no_cert",
        TlsStat.FailVerifyError => "fail_verify_error",
        TlsStat.FailVerifySan => "fail_verify_san",
        TlsStat.FailVerifyCertHash => "fail_verify_cert_hash",
        TlsStat.OcspStapleFailed => "ocsp_staple_failed",
        TlsStat.OcspStapleOmitted => "ocsp_staple_omitted",
        TlsStat.OcspStapleResponses => "ocsp_staple_responses",
        TlsStat.OcspStapleRequests => "ocsp_staple_requests",
        TlsStat.WasKeyUsageInvalid => "was_key_usage_invalid",
        _ => throw new ArgumentOutOfRangeException(nameof(stat)),
    };
}
