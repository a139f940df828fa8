using System.Text;
using Envoy.Extensions.Filters.Http.DynamicForwardProxy.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Proxy.Upstream.DynamicForwardProxy;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Http.Filters;

/// <summary>envoy.filters.http.dynamic_forward_proxy: resolves the request's host before the router goes there.</summary>
internal sealed class DynamicForwardProxyFilterFactory : IHttpFilterFactory
{
    public string ConfigType => FilterConfig.Descriptor.FullName;

    public string Name => "envoy.filters.http.dynamic_forward_proxy";

    public string PerRouteConfigType => PerRouteConfig.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context)
    {
        var filter = FilterConfig.From(config);
        return filter.DnsCacheConfig is { } cache
            ? new Config(DnsCache.Get(cache, context))
            : throw new ConfigurationException("dynamic_forward_proxy: sub_cluster_config is not supported; give dns_cache_config.");
    }

    public object CompilePerRoute(Message config, FactoryContext context)
    {
        var route = PerRouteConfig.From(config);
        return new HostRewrite(
            route.HostRewriteLiteral, route.HostRewriteHeader.Length > 0 ? Encoding.ASCII.GetBytes(route.HostRewriteHeader) : null);
    }

    private sealed class Config(DnsCache cache) : IHttpFilterConfig
    {
        public void CreateFilter(IFilterChainBuilder chain) => chain.AddDecoderFilter(new DynamicForwardProxyFilter(cache));
    }

    /// <param name="Literal">Empty when the header decides.</param>
    internal sealed record HostRewrite(string Literal, byte[]? Header);
}

/// <summary>One request waiting for its host's addresses.</summary>
internal sealed class DynamicForwardProxyFilter(DnsCache cache) : IStreamDecoderFilter
{
    private IStreamDecoderFilterCallbacks _callbacks = null!;
    private string _host = "";
    private int _defaultPort;
    private bool _destroyed;

    public void SetDecoderFilterCallbacks(IStreamDecoderFilterCallbacks callbacks) => _callbacks = callbacks;

    public FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        if (_callbacks.ClusterInfo is not { } cluster
            || cluster.Definition.ClusterType?.Name != "envoy.clusters.dynamic_forward_proxy")
        {
            return FilterHeadersStatus.Continue;
        }
        RewriteHost(headers);
        _host = Encoding.Latin1.GetString(headers.Get(KnownHeader.Authority));
        _defaultPort = ((ClusterEntry)cluster).Info.TransportSockets.Default.ImplementsSecureTransport ? 443 : 80;
        var result = cache.Load(_host, _defaultPort, _callbacks.Loop, OnReady);
        switch (result.Status)
        {
            case DnsCacheStatus.Loading:
                return FilterHeadersStatus.StopAllIterationAndWatermark;
            case DnsCacheStatus.HostOverflow:
                _callbacks.SendLocalReply(503, "DNS cache overflow"u8, null, null, "dns_cache_overflow");
                return FilterHeadersStatus.StopIteration;
            case DnsCacheStatus.PendingOverflow:
                _callbacks.StreamInfo.SetFlag(ResponseFlags.UpstreamOverflow);
                _callbacks.SendLocalReply(
                    503, "Dynamic forward proxy pending request overflow"u8, null, null, "dns_cache_pending_requests_overflow");
                return FilterHeadersStatus.StopIteration;
            default:
                if (result.Entry is { Addresses.Length: > 0 })
                {
                    return FilterHeadersStatus.Continue;
                }
                FailResolution(result.Entry);
                return FilterHeadersStatus.StopIteration;
        }
    }

    public FilterDataStatus DecodeData(ByteBuffer data, bool endStream) => FilterDataStatus.Continue;

    public FilterTrailersStatus DecodeTrailers(HeaderMap trailers) => FilterTrailersStatus.Continue;

    public void OnDestroy() => _destroyed = true;

    private void RewriteHost(HeaderMap headers)
    {
        if (_callbacks.MostSpecificPerFilterConfig<DynamicForwardProxyFilterFactory.HostRewrite>() is not { } rewrite)
        {
            return;
        }
        if (rewrite.Header is null)
        {
            headers.Set(KnownHeader.Authority, rewrite.Literal);
        }
        else if (headers.TryGet(rewrite.Header, out var value))
        {
            headers.Set(KnownHeader.Authority, value.ToArray());
        }
    }

    private void OnReady()
    {
        if (_destroyed)
        {
            return;
        }
        var entry = cache.Find(_host, _defaultPort);
        if (entry is { Addresses.Length: > 0 })
        {
            _callbacks.ContinueDecoding();
        }
        else
        {
            FailResolution(entry);
        }
    }

    private void FailResolution(DnsCacheEntry? entry)
    {
        _callbacks.StreamInfo.SetFlag(ResponseFlags.DnsResolutionFailed);
        var details = entry is { Details.Length: > 0 } ? $"dns_resolution_failure{{{entry.Details.Replace(' ', '_')}}}" : "dns_resolution_failure";
        _callbacks.SendLocalReply(503, "DNS resolution failure"u8, null, null, details);
    }
}
