using System.Net;
using System.Net.Sockets;

namespace MeshProxy.Bench.Load;

/// <summary>Asks /ready of the admin interface until it answers 200.</summary>
internal static class ReadyProbe
{
    /// <returns>Milliseconds since the given timestamp.</returns>
    /// <exception cref="BenchException">The process ended or was not ready in time.</exception>
    public static double Wait(Peer peer, int port, long started, TimeSpan limit)
    {
        while (true)
        {
            if (IsReady(port)) return TimeProvider.System.GetElapsedTime(started).TotalMilliseconds;
            if (peer.Failure is { } why) throw new BenchException($"{peer.Kind} ended: {why}");
            if (TimeProvider.System.GetElapsedTime(started) > limit) throw new BenchException($"{peer.Kind} is not ready after {limit.TotalSeconds} s");
            Thread.Sleep(1);
        }
    }

    private static bool IsReady(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 1000 };
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            socket.Send("GET /ready HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n"u8);
            var answer = new byte[64];
            var length = socket.Receive(answer);
            return answer.AsSpan(0, length).StartsWith("HTTP/1.1 200"u8);
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
