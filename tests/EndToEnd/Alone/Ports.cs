using System.Net;
using System.Net.Sockets;

namespace MeshProxy.EndToEnd.Alone;

/// <summary>
/// Ports of this machine that nobody uses, below those that the kernel gives to outgoing connections
/// (net.ipv4.ip_local_port_range, from 32768): a client must not take a port that a server is to open later.
/// </summary>
internal static class Ports
{
    private const int First = 12000;
    private const int Count = 20000;

    // Several test runs on one machine begin at different places; 97 keeps neighbouring numbers of processes apart.
    private static int _next = Environment.ProcessId * 97 % Count;

    /// <summary>Some, all different.</summary>
    public static int[] Free(int count)
    {
        var found = new int[count];
        for (var i = 0; i < count; i++)
        {
            do found[i] = First + (Interlocked.Increment(ref _next) % Count);
            while (!IsFree(found[i]));
        }

        return found;
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
