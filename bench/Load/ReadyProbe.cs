using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MeshProxy.Bench.Load;

/// <summary>Asks whether a proxy is ready until it answers 200.</summary>
internal static class ReadyProbe
{
    /// <returns>Milliseconds since the given timestamp.</returns>
    /// <exception cref="BenchException">The process ended or was not ready in time.</exception>
    public static double Wait(Peer peer, int port, long started, TimeSpan limit) =>
        Wait(port, "/ready", peer.Kind.ToString(), () => peer.Failure, started, limit);

    /// <summary>The same of any program and path.</summary>
    /// <param name="failure">Why the program ended; null while it runs.</param>
    public static double Wait(int port, string path, string who, Func<string?> failure, long started, TimeSpan limit)
    {
        while (true)
        {
            if (IsReady(port, path)) return TimeProvider.System.GetElapsedTime(started).TotalMilliseconds;
            if (failure() is { } why) throw new BenchException($"{who} ended: {why}");
            if (TimeProvider.System.GetElapsedTime(started) > limit) throw new BenchException($"{who} is not ready after {limit.TotalSeconds} s");
            Thread.Sleep(1);
        }
    }

    private static bool IsReady(int port, string path)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 1000 };
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            socket.Send(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n"));
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
