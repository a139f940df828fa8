using System.Net;
using System.Text.Json.Nodes;
using Envoy.Config.Route.V3;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Mapping;

namespace MeshProxy.Bench.Micro;

/// <summary>What the benchmarks work on.</summary>
internal static class Given
{
    /// <summary>A request as a browser behind another sidecar sends it.</summary>
    public static ReadOnlySpan<byte> RequestHead =>
        "GET /details/0?verbose=1 HTTP/1.1\r\nHost: details.default.svc.cluster.local:9080\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"u8
        + "Accept: text/html,application/json;q=0.9,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en\r\n"u8
        + "X-Request-Id: 0f9a3c54-6a0b-9d3e-8c4f-1a2b3c4d5e6f\r\nX-Forwarded-Proto: http\r\nCookie: session=abcdef0123456789\r\n"u8
        + "X-B3-TraceId: 463ac35c9f6413ad48485a3953bb6124\r\nX-B3-SpanId: a2fb4a1d1a96d312\r\nX-B3-Sampled: 0\r\n\r\n"u8;

    public static ReadOnlySpan<byte> ResponseHead =>
        "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Tue, 24 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\n"u8
        + "Content-Length: 178\r\nCache-Control: no-store\r\nX-Envoy-Upstream-Service-Time: 3\r\n\r\n"u8;

    public static RouteTable BookinfoRoutes()
    {
        var file = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "rds.json")))!;
        var routes = file["resources"]!.AsArray().Single(static resource => (string?)resource!["name"] == "9080")!.AsObject();
        routes.Remove("@type");
        var message = MessageJson.Parse<RouteConfiguration>(System.Text.Encoding.UTF8.GetBytes(routes.ToJsonString()), JsonReadOptions.Strict);
        return RouteTableCompiler.Compile(message, new CompileContext(), validateClusters: false);
    }

    public static ConnectionInfo Connection(int port, string transport, params string[] applications) => new()
    {
        LocalAddress = new IPEndPoint(IPAddress.Parse("10.42.0.10"), port),
        DirectLocalAddress = new IPEndPoint(IPAddress.Parse("10.42.0.10"), 15006),
        RemoteAddress = new IPEndPoint(IPAddress.Parse("10.42.0.77"), 40000),
        DirectRemoteAddress = new IPEndPoint(IPAddress.Parse("10.42.0.77"), 40000),
        DetectedTransportProtocol = transport,
        RequestedApplicationProtocols = applications,
    };

    public static StreamInfo Stream() => new()
    {
        StartTime = DateTime.UnixEpoch,
        StartNanoseconds = 0,
        Downstream = Connection(9080, "raw_buffer"),
    };
}
