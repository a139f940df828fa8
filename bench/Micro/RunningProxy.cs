using System.Net;
using System.Net.Sockets;
using MeshProxy.Proxy.Observability.Logging;
using MeshProxy.Proxy.Server;
using MeshProxy.Xds.Bootstrap;

namespace MeshProxy.Bench.Micro;

/// <summary>A whole proxy in this process with one worker, one kept-alive connection through it, and a backend that answers at once.</summary>
internal sealed class RunningProxy : IDisposable
{
    private readonly Socket _backend = Listener();
    private readonly Socket _client;
    private readonly ProxyServer _server;
    private readonly byte[] _answer = new byte[16 * 1024];

    /// <param name="httpFilters">Filters in front of the router, as YAML flow items each ended by a comma.</param>
    public RunningProxy(string httpFilters = "", string manager = "")
    {
        Serve(_backend);
        var port = FreePort();
        var options = EnvoyOptions.Parse(["--config-yaml", Configuration(port, Port(_backend), httpFilters, manager)]);
        var bootstrap = BootstrapLoader.Load(options).Bootstrap;
        var sink = new LogSink(Console.Error, LogSink.DefaultFormat);
        _server = new ProxyServer(bootstrap, new ServerOptions { Concurrency = 1 }, new Loggers(sink, LogLevel.Warning, new Dictionary<string, LogLevel>()));
        new Thread(_server.Run) { IsBackground = true }.Start();
        _client = Connect(port);
    }

    /// <summary>Sends the request and waits for its whole answer; nothing is allocated here.</summary>
    public void Exchange(ReadOnlySpan<byte> request)
    {
        _client.Send(request);
        var end = -1;
        for (var length = 0; end < 0 || length < end; )
        {
            length += _client.Receive(_answer.AsSpan(length));
            var head = _answer.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
            end = head < 0 ? -1 : head + 4 + BodyLength;
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Shutdown();
        _backend.Dispose();
    }

    /// <summary>Bytes of the backend's answers.</summary>
    public const int BodyLength = 1024;

    private static void Serve(Socket listener) => new Thread(() =>
    {
        var answer = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 1024\r\n\r\n"u8.ToArray().Concat(new byte[BodyLength]).ToArray();
        var request = new byte[16 * 1024];
        using var connection = listener.Accept();
        while (true)
        {
            var length = 0;
            do
            {
                var count = connection.Receive(request.AsSpan(length));
                if (count == 0) return;
                length += count;
            }
            while (!request.AsSpan(0, length).EndsWith("\r\n\r\n"u8));
            connection.Send(answer);
        }
    })
    { IsBackground = true }.Start();

    private static Socket Connect(int port)
    {
        for (var attempt = 0; ; attempt++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                socket.Connect(IPAddress.Loopback, port);
                return socket;
            }
            catch (SocketException) when (attempt < 500)
            {
                socket.Dispose();
                Thread.Sleep(10);
            }
        }
    }

    private static Socket Listener()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    private static int Port(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private static int FreePort()
    {
        using var socket = Listener();
        return Port(socket);
    }

    private static string Configuration(int listen, int backend, string httpFilters, string manager) => $$"""
        static_resources:
          listeners:
          - name: main
            address: { socket_address: { address: 127.0.0.1, port_value: {{listen}} } }
            filter_chains:
            - filters:
              - name: envoy.filters.network.http_connection_manager
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                  stat_prefix: ingress
                  {{manager}}
                  route_config:
                    virtual_hosts:
                    - { name: all, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: next } }] }
                  http_filters: [{{httpFilters}} { name: router, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router } }]
          clusters:
          - name: next
            type: STATIC
            load_assignment:
              cluster_name: next
              endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: {{backend}} } } } }] }]
        """;
}
