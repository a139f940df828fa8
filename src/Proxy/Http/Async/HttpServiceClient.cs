using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream;
using HttpService = Envoy.Config.Core.V3.HttpService;

namespace MeshProxy.Proxy.Http.Async;

/// <summary>Posts bodies to a service that configuration names (core.v3.HttpService): collectors of spans and logs.</summary>
internal sealed class HttpServiceClient
{
    private readonly IClusterManager _clusters;
    private readonly string _cluster;
    private readonly byte[] _host;
    private readonly byte[] _path;
    private readonly byte[] _contentType;
    private readonly byte[] _userAgent;
    private readonly TimeSpan _timeout;
    private readonly HeaderParser _headers;

    public HttpServiceClient(IClusterManager clusters, string cluster, string host, string path, string contentType, TimeSpan timeout,
        HeaderParser? headers = null, string userAgent = "")
    {
        _clusters = clusters;
        _cluster = cluster;
        _host = Encoding.Latin1.GetBytes(host);
        _path = Encoding.Latin1.GetBytes(path);
        _contentType = Encoding.Latin1.GetBytes(contentType);
        _userAgent = Encoding.Latin1.GetBytes(userAgent);
        _timeout = timeout;
        _headers = headers ?? HeaderParser.Empty;
    }

    /// <exception cref="ConfigurationException">The service has no address, or its cluster is unknown.</exception>
    public static HttpServiceClient Compile(
        HttpService config, string contentType, FactoryContext context, string field, string userAgent = "")
    {
        if (config.HttpUri is not { } uri)
        {
            throw new ConfigurationException($"{field}.http_uri: the service has no address; set it.");
        }
        if (context.Clusters.Get(uri.Cluster) is null)
        {
            throw new ConfigurationException($"{field}.http_uri.cluster: Unknown cluster '{uri.Cluster}'; define it.");
        }
        var (host, path) = Split(uri.Uri);
        return new HttpServiceClient(context.Clusters, uri.Cluster, host, path, contentType, uri.Timeout ?? TimeSpan.Zero,
            HeaderParser.Compile(config.RequestHeadersToAdd, [], field), userAgent);
    }

    /// <summary>False when the cluster is gone; else exactly one callback follows.</summary>
    public bool Post(ReadOnlySpan<byte> body, IAsyncRequestCallbacks callbacks)
    {
        if (_clusters.AsyncClient(_cluster) is not { } client)
        {
            return false;
        }
        var headers = HeaderMap.Rent();
        headers.Set(KnownHeader.Method, "POST"u8);
        headers.Set(KnownHeader.Path, _path);
        headers.Set(KnownHeader.Authority, _host);
        headers.Set(KnownHeader.ContentType, _contentType);
        if (_userAgent.Length > 0)
        {
            headers.Set(KnownHeader.UserAgent, _userAgent);
        }
        if (!_headers.IsEmpty)
        {
            _headers.Evaluate(headers, new LogContext(headers, null, null, CallInfo.New()));
        }
        client.Send(headers, body, new AsyncRequestOptions { Timeout = _timeout }, callbacks);
        return true;
    }

    private static (string Host, string Path) Split(string uri)
    {
        var scheme = uri.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? uri : uri[(scheme + 3)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (rest, "/") : (rest[..slash], rest[slash..]);
    }
}
