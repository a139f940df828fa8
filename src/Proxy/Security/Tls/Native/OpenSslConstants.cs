namespace MeshProxy.Proxy.Security.Tls.Native;

/// <summary>Numbers of OpenSSL 3's public headers (ssl.h, x509_vfy.h, bio.h) and of the TLS RFCs.</summary>
internal static class OpenSslConstants
{
    /// <summary>Exit handlers would free what running loops still use.</summary>
    public const ulong InitNoAtExit = 0x00080000;

    public const int Tls10 = 0x0301;
    public const int Tls11 = 0x0302;
    public const int Tls12 = 0x0303;
    public const int Tls13 = 0x0304;

    public const ulong OpLegacyServerConnect = 1UL << 2;
    public const ulong OpIgnoreUnexpectedEof = 1UL << 7;
    public const ulong OpNoTicket = 1UL << 14;
    public const ulong OpNoCompression = 1UL << 17;
    public const ulong OpPrioritizeChaCha = 1UL << 21;
    public const ulong OpCipherServerPreference = 1UL << 22;
    public const ulong OpNoRenegotiation = 1UL << 30;

    public const int ModePartialWrite = 1;
    public const int ModeMovingWriteBuffer = 2;
    public const int ModeNoAutoChain = 8;
    public const int ModeReleaseBuffers = 16;

    public const int VerifyNone = 0;
    public const int VerifyPeer = 1;
    public const int VerifyFailIfNoPeerCertificate = 2;

    public const int CtrlMode = 33;
    public const int CtrlSetReadAhead = 41;
    public const int CtrlSetSessionCacheMode = 44;
    public const int CtrlSetHostName = 55;
    public const int CtrlSetStatusCallback = 63;
    public const int CtrlSetStatusResponse = 71;
    public const int CtrlSetGroupsList = 92;
    public const int CtrlSetSignatureAlgorithms = 98;
    public const int CtrlSetClientSignatureAlgorithms = 102;
    public const int CtrlGetPeerSignatureNid = 108;
    public const int CtrlSetMinimumVersion = 123;
    public const int CtrlSetMaximumVersion = 124;
    public const int CtrlGetNegotiatedGroup = 134;

    public const int SessionCacheOff = 0;
    public const int SessionCacheClient = 1;
    public const int SessionCacheServer = 2;
    public const int SessionCacheNoInternal = 0x300;

    public const int ErrorNone = 0;
    public const int ErrorSsl = 1;
    public const int ErrorWantRead = 2;
    public const int ErrorWantWrite = 3;
    public const int ErrorSyscall = 5;
    public const int ErrorZeroReturn = 6;

    public const int AlpnOk = 0;
    public const int AlpnNoAck = 3;

    public const int ClientHelloSuccess = 1;

    public const int BioTypeSourceSink = 0x0400;
    public const int BioFlagRead = 1;
    public const int BioFlagsRetryMask = 0x0f;
    public const int BioFlagShouldRetry = 8;
    public const int BioCtrlFlush = 11;

    public const int KeyTypeRsa = 6;
    public const int KeyTypeEc = 408;

    public const ulong StoreCrlCheck = 4;
    public const ulong StoreCrlCheckAll = 8;
    public const ulong StorePartialChain = 0x80000;
    public const ulong StoreNoCheckTime = 0x200000;

    /// <summary>XN_FLAG_RFC2253.</summary>
    public const ulong NameRfc2253 = 1 | 2 | 4 | 0x10 | 0x100 | 0x200 | (1UL << 16) | (1UL << 20) | (1UL << 24);

    /// <summary>Extension numbers (IANA TLS ExtensionType Values).</summary>
    public const uint ExtensionServerName = 0;

    public const uint ExtensionStatusRequest = 5;
    public const uint ExtensionSupportedGroups = 10;
    public const uint ExtensionSignatureAlgorithms = 13;
    public const uint ExtensionSupportedVersions = 43;
}
