using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace MeshProxy.Bench.Load;

/// <summary>The running processes of one peer in one scenario.</summary>
internal sealed class Peer : IDisposable
{
    private readonly List<Command> _processes = [];

    private Peer(PeerKind kind) => Kind = kind;

    public PeerKind Kind { get; }

    public int Port { get; private set; }

    /// <summary>Where the backend takes HTTP/2 without TLS.</summary>
    public int Http2Port { get; private set; }

    /// <summary>The port of the last process' admin interface, of meshproxy and Envoy.</summary>
    public int AdminPort { get; private set; }

    public int Id => _processes[0].Id;

    /// <summary>CPU seconds that all processes of the peer have used.</summary>
    public double CpuSeconds => _processes.Sum(static process => ProcessTree.CpuSeconds(process.Id));

    /// <summary>Resident kB of the first process and its descendants.</summary>
    public (long Rss, long Pss) Memory => ProcessTree.Memory(Id);

    /// <summary>Starts the processes of a scenario, the one nearest to the backend first.</summary>
    /// <exception cref="BenchException">A process ended or does not listen; with its last line.</exception>
    public static Peer Start(Workshop workshop, Scenario scenario, PeerKind kind, int backend)
    {
        var peer = new Peer(kind);
        try
        {
            var next = backend;
            foreach (var hop in scenario.Hops.Reverse())
                next = peer.StartHop(workshop, $"{scenario.Name}/{hop}", workshop.Configuration(scenario, hop, kind), next);
            peer.Port = next;
            return peer;
        }
        catch
        {
            peer.Dispose();
            throw;
        }
    }

    /// <summary>Starts one process with the text of a configuration, and does not wait for it.</summary>
    public static Peer Launch(Workshop workshop, PeerKind kind, string name, string configuration, int backend)
    {
        var peer = new Peer(kind);
        peer.Port = peer.LaunchHop(workshop, name, configuration, backend);
        return peer;
    }

    public void WaitUntilListening(TimeSpan limit) => WaitUntilListening(_processes[^1], Kind.ToString(), Port, limit);

    /// <summary>Why a process ended, or null while all run.</summary>
    public string? Failure => _processes.Find(static process => process.HasExited)?.LastLine();

    public void Dispose()
    {
        foreach (var process in _processes) process.Dispose();
    }

    private int StartHop(Workshop workshop, string name, string configuration, int next)
    {
        var port = LaunchHop(workshop, name, configuration, next);
        WaitUntilListening(_processes[^1], Kind.ToString(), port, TimeSpan.FromSeconds(10));
        return port;
    }

    private int LaunchHop(Workshop workshop, string name, string configuration, int next)
    {
        var folder = workshop.Folder($"{name}.{Kind}");
        var port = FreePort();
        AdminPort = FreePort();
        Http2Port = FreePort();
        var text = workshop.Fill(configuration, new Dictionary<string, string>
        {
            ["dir"] = folder,
            ["listen"] = Text(port),
            ["listen_http2"] = Text(Http2Port),
            ["next"] = Text(next),
            ["admin"] = Text(AdminPort),
        });
        var path = Path.Combine(folder, Kind switch
        {
            PeerKind.Nginx => "nginx.conf",
            PeerKind.HaProxy => "haproxy.cfg",
            _ => text.StartsWith('{') ? "bootstrap.json" : "bootstrap.yaml",
        });
        File.WriteAllText(path, text);
        var (file, arguments) = workshop.CommandLine(Kind, path, folder);
        _processes.Add(Command.Start(file, arguments, Path.Combine(folder, "output.log")));
        return port;
    }

    /// <exception cref="BenchException">The process ended or does not listen in time.</exception>
    public static void WaitUntilListening(Command process, string name, int port, TimeSpan limit)
    {
        var end = DateTime.UtcNow + limit;
        while (!Listens(port))
        {
            if (process.HasExited) throw new BenchException($"{name} ended: {process.LastLine()}");
            if (DateTime.UtcNow > end) throw new BenchException($"{name} does not listen after {limit.TotalSeconds} s: {process.LastLine()}");
            Thread.Sleep(5);
        }
    }

    private static bool Listens(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
