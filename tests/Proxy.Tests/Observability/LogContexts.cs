using System.Buffers;
using System.Net;
using System.Text;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Tests.Observability;

/// <summary>Makes exchanges to log.</summary>
internal static class LogContexts
{
    public static StreamInfo Info() =>
        new()
        {
            StartTime = new DateTime(2024, 1, 2, 3, 4, 5, 678, DateTimeKind.Utc).AddTicks(9012),
            StartNanoseconds = 1_000_000_000,
            Downstream = new ConnectionInfo
            {
                LocalAddress = IPEndPoint.Parse("127.0.0.1:80"),
                DirectLocalAddress = IPEndPoint.Parse("127.0.0.1:80"),
                RemoteAddress = IPEndPoint.Parse("10.1.2.3:0"),
                DirectRemoteAddress = IPEndPoint.Parse("[2001:db8:1:2::3]:999"),
                ConnectionId = 7,
            },
        };

    public static HeaderMap Headers(params (string Name, string Value)[] headers)
    {
        var map = new HeaderMap();
        foreach (var (name, value) in headers)
        {
            map.Add(name, value);
        }
        return map;
    }

    public static LogContext Http(StreamInfo? info = null, HeaderMap? request = null, HeaderMap? response = null, HeaderMap? trailers = null) =>
        new(request ?? Headers((":method", "GET"), (":path", "/a?q=one%20x&e="), (":authority", "a.test")), response, trailers,
            info ?? Info());

    public static string Text(this IFormatter formatter, in LogContext context)
    {
        var output = new ArrayBufferWriter<byte>();
        formatter.Format(context, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
