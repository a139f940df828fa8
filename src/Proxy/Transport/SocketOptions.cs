using System.Net;
using System.Runtime.InteropServices;
using MeshProxy.Proxy.Transport.Native;

namespace MeshProxy.Proxy.Transport;

/// <summary>One setsockopt of configuration (core.v3.SocketOption): an integer or bytes.</summary>
public sealed record SocketOption(int Level, int Name, long IntValue, byte[]? BytesValue = null);

/// <summary>TCP keepalive (core.v3.TcpKeepalive); null leaves the kernel's default.</summary>
public sealed record TcpKeepalive(uint? Probes, uint? TimeSeconds, uint? IntervalSeconds);

/// <summary>How the socket of a listener is opened.</summary>
public sealed record ListenOptions
{
    /// <summary>Pending connections of the kernel; 0 takes net.core.somaxconn, as Envoy does on Linux.</summary>
    public int Backlog { get; init; }

    public bool ReusePort { get; init; } = true;

    /// <summary>IP_TRANSPARENT: accepts connections to addresses that are not ours (TPROXY).</summary>
    public bool Transparent { get; init; }

    public bool FreeBind { get; init; }

    /// <summary>`[::]` takes IPv4 as well (socket_address.ipv4_compat).</summary>
    public bool Ipv4Compatible { get; init; }

    /// <summary>Permission bits of a Unix socket's file; 0 leaves the umask's.</summary>
    public uint Mode { get; init; }

    public IReadOnlyList<SocketOption> SocketOptions { get; init; } = [];
}

/// <summary>How the socket of an upstream connection is opened.</summary>
public sealed record ClientSocketOptions
{
    /// <summary>Address to bind before connecting; null lets the kernel choose.</summary>
    public EndPoint? SourceAddress { get; init; }

    public bool FreeBind { get; init; }

    /// <summary>SO_MARK; 0 for none.</summary>
    public uint Mark { get; init; }

    /// <summary>Binds to an address that is not ours (original_src).</summary>
    public bool Transparent { get; init; }

    public TcpKeepalive? Keepalive { get; init; }

    public IReadOnlyList<SocketOption> SocketOptions { get; init; } = [];
}

/// <summary>Applies options to descriptors; each failure says which option was refused.</summary>
internal static unsafe class SocketOptionWriter
{
    public static void Set(int fd, int level, int name, int value, string what)
    {
        if (Libc.SetSockOpt(fd, level, name, &value, sizeof(int)) != 0)
        {
            throw Refused(what);
        }
    }

    public static void Set(int fd, SocketOption option)
    {
        if (option.BytesValue is { } bytes)
        {
            fixed (byte* value = bytes)
            {
                if (Libc.SetSockOpt(fd, option.Level, option.Name, value, bytes.Length) != 0)
                {
                    throw Refused($"{option.Level}/{option.Name}");
                }
            }
            return;
        }
        Set(fd, option.Level, option.Name, (int)option.IntValue, $"{option.Level}/{option.Name}");
    }

    public static void Set(int fd, TcpKeepalive keepalive)
    {
        Set(fd, Constants.SolSocket, Constants.SoKeepAlive, 1, "SO_KEEPALIVE");
        if (keepalive.Probes is { } probes)
        {
            Set(fd, Constants.IpProtoTcp, Constants.TcpKeepCount, (int)probes, "TCP_KEEPCNT");
        }
        if (keepalive.TimeSeconds is { } time)
        {
            Set(fd, Constants.IpProtoTcp, Constants.TcpKeepIdle, (int)time, "TCP_KEEPIDLE");
        }
        if (keepalive.IntervalSeconds is { } interval)
        {
            Set(fd, Constants.IpProtoTcp, Constants.TcpKeepInterval, (int)interval, "TCP_KEEPINTVL");
        }
    }

    private static IOException Refused(string what) =>
        new($"The kernel refused socket option {what}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
}
