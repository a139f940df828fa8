using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Tests.Transport;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using HeaderMap = MeshProxy.Proxy.Http.HeaderMap;

namespace MeshProxy.Proxy.Tests.Upstream;

/// <summary>A cluster manager on one running loop, with backends on loopback.</summary>
public sealed class UpstreamFixture : IDisposable
{
    private readonly LoopFixture _loop = new();
    private readonly List<Socket> _listeners = [];

    public UpstreamFixture()
    {
        Store = new StatsStore(1);
        Manager = new ClusterManager(new ClusterEnvironment
        {
            MainLoop = Loop,
            Workers = [],
            Stats = Store.Root,
            Runtime = Runtime,
            Node = Node.New(),
            Connector = new SocketConnector(),
            Codecs = new ClientCodecFactory(),
            ContextFor = static (_, _) => null!,
            TransportSockets = new PlainText(),
            Subscriptions = null!,
            AccessLogs = null!,
        });
    }

    public EventLoop Loop => _loop.Loop;

    public StatsStore Store { get; }

    public ClusterManager Manager { get; }

    public FixedRuntime Runtime { get; } = new();

    /// <summary>Runs <paramref name="work"/> on the loop and waits for its result.</summary>
    public T OnLoop<T>(Func<T> work)
    {
        var result = new BlockingCollection<(T? Value, Exception? Error)>();
        Loop.Post(() =>
        {
            try
            {
                result.Add((work(), null));
            }
            catch (Exception error)
            {
                result.Add((default, error));
            }
        });
        var (value, failure) = LoopFixture.Await(result);
        return failure is null ? value! : throw failure;
    }

    /// <summary>A listening socket whose connections <paramref name="serve"/> handles, one thread each; its port.</summary>
    public int Listen(Action<NetworkStream> serve)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _listeners.Add(listener);
        new Thread(() => Accept(listener, serve)) { IsBackground = true }.Start();
        return ((IPEndPoint)listener.LocalEndPoint!).Port;
    }

    /// <summary>An HTTP/1 backend that answers each request with its name.</summary>
    public int ListenHttp(string name) => Listen(stream =>
    {
        while (ReadHead(stream) is not null)
        {
            stream.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\ncontent-length: {name.Length}\r\n\r\n{name}"));
        }
    });

    public static string? ReadHead(NetworkStream stream)
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            var next = stream.ReadByte();
            if (next < 0)
            {
                return null;
            }
            head.Append((char)next);
        }
        return head.ToString();
    }

    public static Cluster StaticCluster(string name, params int[] ports)
    {
        var cluster = Cluster.New();
        cluster.Name = name;
        var assignment = ClusterLoadAssignment.New();
        assignment.ClusterName = name;
        var group = LocalityLbEndpoints.New();
        foreach (var port in ports)
        {
            group.LbEndpoints.Add(Endpoint(port));
        }
        assignment.Endpoints.Add(group);
        cluster.LoadAssignment = assignment;
        return cluster;
    }

    public static LbEndpoint Endpoint(int port)
    {
        var socket = Envoy.Config.Core.V3.SocketAddress.New();
        socket.Address = "127.0.0.1";
        socket.PortValue = (uint)port;
        var address = Address.New();
        address.SocketAddress = socket;
        var endpoint = Envoy.Config.Endpoint.V3.Endpoint.New();
        endpoint.Address = address;
        var lbEndpoint = LbEndpoint.New();
        lbEndpoint.Endpoint = endpoint;
        return lbEndpoint;
    }

    /// <summary>Adds a cluster as discovery would and waits until it is ready.</summary>
    public ICluster Add(Cluster definition) => OnLoop(() =>
    {
        Manager.StartPrimary(() => { });
        Manager.StartSecondary(() => { });
        Manager.AddOrUpdate(definition, "1");
        return Manager.Get(definition.Name)!;
    });

    public Request Send(ICluster cluster) => OnLoop(() =>
    {
        var request = new Request();
        request.Start(cluster);
        return request;
    });

    public long Stat(ICluster cluster, ClusterStat stat) => OnLoop(() => cluster.Traffic.Value((int)stat));

    public void Dispose()
    {
        foreach (var listener in _listeners)
        {
            listener.Dispose();
        }
        _loop.Dispose();
    }

    /// <summary>Accepts until the fixture disposes the listener, which may be before the first call.</summary>
    private static void Accept(Socket listener, Action<NetworkStream> serve)
    {
        try
        {
            while (true)
            {
                var client = listener.Accept();
                new Thread(() => Serve(client, serve)) { IsBackground = true }.Start();
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
        }
    }

    private static void Serve(Socket client, Action<NetworkStream> serve)
    {
        try
        {
            using var stream = new NetworkStream(client, ownsSocket: true);
            serve(stream);
        }
        catch (IOException)
        {
        }
    }

    private sealed class PlainText : IUpstreamTransportSocketCompiler
    {
        public IUpstreamTransportSocketFactory Compile(TransportSocket? socket, FactoryContext context) => RawBufferSocketFactory.Instance;
    }
}

/// <summary>One GET through a pool; outcomes are awaited as text.</summary>
public sealed class Request : IResponseDecoder, IHttpPoolCallbacks, IStreamCallbacks
{
    private readonly StringBuilder _body = new();
    private string _status = "";

    public BlockingCollection<string> Outcome { get; } = [];

    public UpstreamInfo? Upstream { get; private set; }

    public string Await() => LoopFixture.Await(Outcome);

    public void Start(ICluster cluster)
    {
        if (cluster.ChooseHost(null).Host is not { } host)
        {
            Outcome.Add("no host");
            return;
        }
        cluster.HttpPool(host, MeshProxy.Proxy.Upstream.RoutingPriority.Default, HttpProtocol.Http11, null)!.NewStream(this, this);
    }

    public void OnPoolFailure(PoolFailureReason reason, string transportFailureReason, Host? host) => Outcome.Add($"{reason}");

    public void OnPoolReady(IRequestEncoder encoder, Host host, UpstreamInfo upstream, HttpProtocol protocol)
    {
        Upstream = upstream;
        encoder.Stream.AddCallbacks(this);
        var headers = new HeaderMap();
        headers.Set(KnownHeader.Method, "GET");
        headers.Set(KnownHeader.Path, "/");
        headers.Set(KnownHeader.Authority, "test");
        headers.Set(KnownHeader.Scheme, "http");
        encoder.EncodeHeaders(headers, true);
    }

    public void Decode1xxHeaders(HeaderMap headers)
    {
    }

    public void DecodeHeaders(HeaderMap headers, bool endStream)
    {
        _status = headers.GetString(KnownHeader.Status)!;
        End(endStream);
    }

    public void DecodeData(ByteBuffer data, bool endStream)
    {
        _body.Append(Encoding.ASCII.GetString(data.ToArray()));
        data.Clear();
        End(endStream);
    }

    public void DecodeTrailers(HeaderMap trailers) => End(true);

    public void OnResetStream(StreamResetReason reason, string transportFailureReason) => Outcome.Add($"{reason}");

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }

    private void End(bool endStream)
    {
        if (endStream)
        {
            Outcome.Add($"{_status} {_body}".TrimEnd());
        }
    }
}

/// <summary>Runtime with given values.</summary>
public sealed class FixedRuntime : IRuntime
{
    public Dictionary<string, ulong> Integers { get; } = [];

    public long Generation { get; set; }

    public ulong GetInteger(string key, ulong defaultValue) => Integers.GetValueOrDefault(key, defaultValue);

    public double GetDouble(string key, double defaultValue) => defaultValue;

    public bool GetBoolean(string key, bool defaultValue) => defaultValue;

    public string? GetString(string key) => null;

    public bool FeatureEnabled(string key, uint numerator, uint denominator, ulong random) => random % denominator < numerator;
}
