using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Type.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Matching;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>HealthCheck.HttpHealthCheck, compiled.</summary>
internal sealed class HttpCheckOptions
{
    // HttpHealthCheck.response_buffer_size.
    private const ulong DefaultResponseBuffer = 1024;

    private readonly (long Start, long End)[] _expected;
    private readonly (long Start, long End)[] _retriable;

    public HttpCheckOptions(HealthCheck.HttpHealthCheck config, ClusterInfo cluster)
    {
        Path = Encoding.UTF8.GetBytes(config.Path);
        Host = config.Host.Length > 0 ? config.Host : cluster.Name;
        Method = config.Method == RequestMethod.MethodUnspecified ? "GET" : config.Method.ToString().ToUpperInvariant();
        Protocol = config.CodecClientType == CodecClientType.Http2 ? HttpProtocol.Http2 : HttpProtocol.Http11;
        _expected = Ranges(config.ExpectedStatuses, "expected");
        _retriable = Ranges(config.RetriableStatuses, "retriable");
        Send = config.Send is { } send ? PayloadMatcher.Read(send) : [];
        if (Send.Length > 0 && Method is not ("POST" or "PUT" or "PATCH" or "OPTIONS"))
        {
            throw new ConfigurationException(
                $"HTTP health check cannot specify a request payload with method '{Method}'. Only methods that support a request body (POST, PUT, PATCH, OPTIONS) can be used.");
        }
        Receive = PayloadMatcher.Compile(config.Receive);
        ResponseBufferSize = config.ResponseBufferSize ?? DefaultResponseBuffer;
        Headers = HeaderParser.Compile(config.RequestHeadersToAdd, config.RequestHeadersToRemove, "http_health_check.request");
        ServiceName = config.ServiceNameMatcher is { } matcher ? StringMatcher.Compile(matcher, "service_name_matcher") : null;
    }

    public byte[] Path { get; }

    /// <summary>Authority of the request, unless the endpoint has one of its own.</summary>
    public string Host { get; }

    public string Method { get; }

    public HttpProtocol Protocol { get; }

    public byte[] Send { get; }

    public PayloadMatcher Receive { get; }

    public ulong ResponseBufferSize { get; }

    public StringMatcher? ServiceName { get; }

    public HeaderParser Headers { get; }

    public bool IsExpected(int status) => _expected.Length == 0 ? status == 200 : Contains(_expected, status);

    public bool IsRetriable(int status) => Contains(_retriable, status);

    private static bool Contains((long Start, long End)[] ranges, int status)
    {
        foreach (var (start, end) in ranges)
        {
            if (status >= start && status < end)
            {
                return true;
            }
        }
        return false;
    }

    private static (long Start, long End)[] Ranges(Xds.Protobuf.MessageList<Int64Range> messages, string what)
    {
        var ranges = new (long, long)[messages.Count];
        for (var i = 0; i < ranges.Length; i++)
        {
            var (start, end) = (messages[i].Start, messages[i].End);
            if (start >= end)
            {
                throw new ConfigurationException($"Invalid http {what} status range: expecting start < end, but found start={start} and end={end}");
            }
            if (start < 100 || end > 600)
            {
                throw new ConfigurationException($"Invalid http {what} status range: expecting 100 <= start and end <= 600, but found start={start} and end={end}");
            }
            ranges[i] = (start, end);
        }
        return ranges;
    }
}
