using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using MeshProxy.Interception.Host;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Validation;

/// <summary>
/// Checks without privilege that rules are in force: a connection of the proxy's user to a port where nobody listens
/// has to arrive at the inbound capture port, with the port that was meant as its original destination. Run as any
/// other user it fails: their traffic on loopback is left alone.
/// </summary>
internal sealed class SelfTest(InterceptionSettings settings, bool ipv6)
{
    // linux/netfilter_ipv4.h SO_ORIGINAL_DST and netfilter_ipv6/ip6_tables.h IP6T_SO_ORIGINAL_DST have the same number.
    private const int OriginalDestination = 80;
    private const int IpLevel = 0;
    private const int IpV6Level = 41;
    // sizeof(struct sockaddr_in6); both address structures have the port at offset 2.
    private const int AddressSize = 28;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>A sentence for what does not work, or null.</summary>
    public string? Run()
    {
        if (Test(IPAddress.Loopback, IPv4Target()) is { } failure)
            return failure;
        return ipv6 ? Test(IPAddress.IPv6Loopback, Owners.IPv6Inbound.Address) : null;
    }

    // Rules exempt the loopback range, so the target has to be outside it: normally 127.0.0.6 is, otherwise the pod's
    // own address is.
    private IPAddress IPv4Target() => settings.IPv4Loopback.Contains(Owners.IPv4Inbound.Address)
        ? PodNetwork.LocalAddresses().FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork)
        ?? Owners.IPv4Inbound.Address
        : Owners.IPv4Inbound.Address;

    private string? Test(IPAddress source, IPAddress target)
    {
        using var listener = new Socket(source.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        try
        {
            listener.Bind(new IPEndPoint(source, settings.InboundCapturePort));
            listener.Listen();
        }
        catch (SocketException e)
        {
            return $"Redirection cannot be checked: port {settings.InboundCapturePort} of {source} cannot be opened "
                + $"({e.Message}).";
        }
        var deadline = Environment.TickCount64 + (long)settings.ProbeTimeout.TotalMilliseconds;
        do
        {
            if (Probe(listener, source, target, deadline))
                return null;
            Thread.Sleep(Shorter(Pause, Remaining(deadline)));
        }
        while (Remaining(deadline) > TimeSpan.Zero);
        return $"A connection to {new IPEndPoint(target, settings.ProbePort)} did not arrive at port "
            + $"{settings.InboundCapturePort} within {settings.ProbeTimeout.TotalSeconds:0.#} s: no redirect rules are "
            + "in force, so traffic would bypass the proxy; with CNI the pod "
            + "started before the plugin was there and has to be started again.";
    }

    private bool Probe(Socket listener, IPAddress source, IPAddress target, long deadline)
    {
        using var client = new Socket(source.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            client.Bind(new IPEndPoint(source, 0));
            using var limit = new CancellationTokenSource(Shorter(Pause, Remaining(deadline)));
            var probe = new IPEndPoint(target, settings.ProbePort);
            client.ConnectAsync(probe, limit.Token).AsTask().GetAwaiter().GetResult();
            using var accepted = listener.AcceptAsync(limit.Token).AsTask().GetAwaiter().GetResult();
            return OriginalPort(accepted) == settings.ProbePort;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return false;
        }
    }

    private static int OriginalPort(Socket socket)
    {
        Span<byte> address = stackalloc byte[AddressSize];
        var level = socket.AddressFamily == AddressFamily.InterNetworkV6 ? IpV6Level : IpLevel;
        socket.GetRawSocketOption(level, OriginalDestination, address);
        return BinaryPrimitives.ReadUInt16BigEndian(address[2..]);
    }

    private static TimeSpan Remaining(long deadline) =>
        TimeSpan.FromMilliseconds(Math.Max(0, deadline - Environment.TickCount64));

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
