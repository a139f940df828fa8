using System.Buffers;
using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Network.FilterStates;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream;
using Tunneling = Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy.TunnelingConfig;

namespace MeshProxy.Proxy.Network.TcpProxy;

/// <summary>tunneling_config, compiled: each connection becomes a CONNECT or POST stream of an HTTP connection.</summary>
internal sealed class HttpTunnel : ITcpTunnel
{
    private readonly IFormatter _hostname;
    private readonly HeaderParser _headers;
    private readonly string _postPath;

    private HttpTunnel(IFormatter hostname, HeaderParser headers, string postPath) =>
        (_hostname, _headers, _postPath) = (hostname, headers, postPath);

    public required bool UsePost { get; init; }

    public required bool KeepResponseHeaders { get; init; }

    public required bool KeepResponseTrailers { get; init; }

    public static HttpTunnel Compile(Tunneling config)
    {
        if (config.RequestIdExtension is not null)
        {
            throw new ConfigurationException("tunneling_config.request_id_extension is not supported; add the id by headers_to_add.");
        }
        if (config.PostPath.Length > 0 && !config.UsePost)
        {
            throw new ConfigurationException("Can't set a post path when POST method isn't used");
        }
        return new HttpTunnel(
            SubstitutionFormat.Compile(config.Hostname),
            HeaderParser.Compile(config.HeadersToAdd, [], "tunneling_config"),
            config.PostPath.Length > 0 ? config.PostPath : "/")
        {
            UsePost = config.UsePost,
            KeepResponseHeaders = config.PropagateResponseHeaders,
            KeepResponseTrailers = config.PropagateResponseTrailers,
        };
    }

    public IPoolCancellable? Open(ICluster cluster, TcpProxyFilter filter, out bool noHost)
    {
        var host = cluster.ChooseHost(filter).Host;
        var pool = host is null ? null : cluster.HttpPool(host, RoutingPriority.Default, null, filter);
        noHost = pool is null;
        if (pool is null)
        {
            return null;
        }
        filter.CountAttempt();
        return new HttpTunnelUpstream(this, filter).Start(pool);
    }

    public HeaderMap RequestHeaders(StreamInfo info, bool overTls)
    {
        var headers = HeaderMap.Rent();
        var context = new LogContext(null, null, null, info);
        var host = new ArrayBufferWriter<byte>();
        _hostname.Format(context, host);
        headers.Set(KnownHeader.Method, UsePost ? "POST" : "CONNECT");
        headers.Set(KnownHeader.Authority, host.WrittenSpan);
        if (UsePost)
        {
            headers.Set(KnownHeader.Path, _postPath);
            headers.Set(KnownHeader.Scheme, overTls ? "https" : "http");
        }
        _headers.Evaluate(headers, context);
        return headers;
    }
}

/// <summary>Response headers or trailers of a tunnel, for access logs (propagate_response_headers, propagate_response_trailers).</summary>
internal sealed class TunnelResponseHeaders(HeaderMap headers) : IFilterStateObject
{
    public const string HeadersKey = "envoy.tcp_proxy.propagate_response_headers";
    public const string TrailersKey = "envoy.tcp_proxy.propagate_response_trailers";

    private readonly List<KeyValuePair<string, string>> _headers = Copy(headers);

    /// <summary>The message is printed as JSON only, as Envoy's TunnelResponseHeaders does (it serialises as proto).</summary>
    public string? SerializeAsString() => null;

    public string? SerializeAsJson()
    {
        var json = new StringBuilder("{\"headers\":[");
        foreach (var (key, value) in _headers)
        {
            json.Append(json[^1] == '[' ? "" : ",")
                .Append("{\"key\":").Append(Quoted(key)).Append(",\"value\":").Append(Quoted(value)).Append('}');
        }
        return json.Append("]}").ToString();
    }

    private static string Quoted(string text)
    {
        var output = new Observability.Formatting.ByteWriter();
        Observability.Formatting.JsonText.WriteString(text, output);
        return Encoding.UTF8.GetString(output.Written);
    }

    private static List<KeyValuePair<string, string>> Copy(HeaderMap headers)
    {
        var copy = new List<KeyValuePair<string, string>>();
        for (var i = headers.Next(0); i >= 0; i = headers.Next(i + 1))
        {
            var pair = new KeyValuePair<string, string>(
                Encoding.Latin1.GetString(headers.Name(i)), Encoding.Latin1.GetString(headers.Value(i)));
            // The status comes first, whatever the order it was set in.
            copy.Insert(pair.Key == ":status" ? 0 : copy.Count, pair);
        }
        return copy;
    }
}
