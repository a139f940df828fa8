namespace MeshProxy.Proxy.Transport.Native;

/// <summary>Linux constants (asm-generic: the same on x64 and arm64).</summary>
internal static class Constants
{
    public const int AfUnix = 1;
    public const int AfInet = 2;
    public const int AfInet6 = 10;
    public const int SockStream = 1;
    public const int SockNonBlock = 0x800;
    public const int SockCloexec = 0x80000;

    public const int SolSocket = 1;
    public const int SoReuseAddress = 2;
    public const int SoError = 4;

    // <linux/sockios.h> SIOCOUTQ.
    public const ulong SocketOutQueue = 0x5411;
    public const int SoKeepAlive = 9;
    public const int SoLinger = 13;
    public const int SoReusePort = 15;
    public const int SoMark = 36;

    public const int IpProtoIp = 0;
    public const int IpTransparent = 19;
    public const int IpFreeBind = 15;
    public const int IpBindAddressNoPort = 24;
    public const int SoOriginalDestination = 80;
    public const int IpProtoIpv6 = 41;
    public const int Ipv6Only = 26;
    public const int Ipv6Transparent = 75;
    public const int Ipv6FreeBind = 78;

    public const int IpProtoTcp = 6;
    public const int TcpNoDelay = 1;
    public const int TcpKeepIdle = 4;
    public const int TcpKeepInterval = 5;
    public const int TcpKeepCount = 6;

    public const int MessageNoSignal = 0x4000;
    public const int MessagePeek = 2;
    public const int ShutdownWrite = 1;

    public const uint EpollIn = 0x1;
    public const uint EpollOut = 0x4;
    public const uint EpollError = 0x8;
    public const uint EpollHangup = 0x10;
    public const uint EpollReadHangup = 0x2000;
    public const uint EpollEdge = 1u << 31;
    public const int EpollAdd = 1;
    public const int EpollDelete = 2;
    public const int EpollModify = 3;
    public const int EpollCloexec = 0x80000;
    public const int EventFdNonBlock = 0x800;

    public const int OpenWriteOnly = 1;
    public const int OpenCreate = 0x40;
    public const int OpenAppend = 0x400;
    public const int OpenCloexec = 0x80000;

    public const int EIntr = 4;
    public const int EAgain = 11;
    public const int EPipe = 32;
    public const int EMfile = 24;
    public const int ENfile = 23;
    public const int EConnectionReset = 104;
    public const int EConnectionAborted = 103;
    public const int EInProgress = 115;
}
