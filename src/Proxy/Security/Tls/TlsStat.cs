namespace MeshProxy.Proxy.Security.Tls;

/// <summary>Entries of <see cref="TlsStats"/> that are there from the start.</summary>
internal enum TlsStat
{
    ConnectionError,
    Handshake,
    SessionReused,
    NoCertificate,
    FailVerifyNoCert,
    FailVerifyError,
    FailVerifySan,
    FailVerifyCertHash,
    OcspStapleFailed,
    OcspStapleOmitted,
    OcspStapleResponses,
    OcspStapleRequests,
    WasKeyUsageInvalid,
}
