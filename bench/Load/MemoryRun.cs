using System.Net;
using System.Net.Sockets;

namespace MeshProxy.Bench.Load;

/// <summary>Resident memory idle, after load, and what an idle connection costs.</summary>
internal sealed class MemoryRun(Options options, Workshop workshop, Report report)
{
    private const int IdleConnections = 1000;

    public void Run()
    {
        report.Heading($"memory: RSS (PSS) in MB; kB a connection with {IdleConnections} kept alive after a request each");
        report.Header("peer", "idle", "after load", "kB a connection");
        using var backend = Backend.Start(workshop);
        foreach (var kind in workshop.Peers)
        {
            try
            {
                Measure(kind, backend.Port);
            }
            catch (Exception failed) when (failed is BenchException or SocketException)
            {
                report.Row(kind.ToString(), $"not measured: {failed.Message}", "-", "-");
            }
        }
    }

    private void Measure(PeerKind kind, int backend)
    {
        using var peer = Peer.Start(workshop, Scenario.All[0], kind, backend);
        Settle();
        var idle = peer.Memory;
        LoadGenerator.Saturate(LoadKind.Http1, peer.Port, options.Connections * 2, options.Quick ? 2 : 5);
        var loaded = peer.Memory;
        report.Row(kind.ToString(), Megabytes(idle), Megabytes(loaded), $"{PerConnection(kind, backend):0.0}");
    }

    // A process of its own: one that was under load would hand out the memory it has left.
    private double PerConnection(PeerKind kind, int backend)
    {
        using var peer = Peer.Start(workshop, Scenario.All[0], kind, backend);
        Settle();
        var before = peer.Memory;
        var connections = Open(peer.Port);
        Settle();
        var after = peer.Memory;
        foreach (var connection in connections) connection.Dispose();
        return (after.Pss - before.Pss) / (double)IdleConnections;
    }

    private static List<Socket> Open(int port)
    {
        var connections = new List<Socket>(IdleConnections);
        var answer = new byte[4096];
        for (var i = 0; i < IdleConnections; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 5000 };
            socket.Connect(IPAddress.Loopback, port);
            socket.Send("GET / HTTP/1.1\r\nhost: bench.test\r\n\r\n"u8);
            socket.Receive(answer);
            connections.Add(socket);
        }
        return connections;
    }

    // Long enough for timers that trim pools and for the kernel's lazy counting of pages.
    private static void Settle() => Thread.Sleep(TimeSpan.FromSeconds(2));

    private static string Megabytes((long Rss, long Pss) kilobytes) => $"{kilobytes.Rss / 1000.0:0.0} ({kilobytes.Pss / 1000.0:0.0})";
}
