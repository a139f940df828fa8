using BenchmarkDotNet.Attributes;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Bench.Micro;

/// <summary>Choosing a route in the table istiod sent for bookinfo's port.</summary>
public class RouteMatching
{
    private readonly RouteTable _table = Given.BookinfoRoutes();
    private readonly StreamInfo _info = Given.Stream();
    private readonly HeaderMap _known = Request("details.default.svc.cluster.local:9080"u8);
    private readonly HeaderMap _unknown = Request("somewhere.else.example"u8);

    [Benchmark]
    public bool ByHost() => Found(_known);

    /// <summary>No host fits: the table's catch-all.</summary>
    [Benchmark]
    public bool CatchAll() => Found(_unknown);

    private bool Found(HeaderMap request) =>
        _table.Route(request, _info, 42) is not null ? true : throw new InvalidOperationException("No route: nothing was measured.");

    private static HeaderMap Request(ReadOnlySpan<byte> host)
    {
        var map = new HeaderMap();
        map.Add(KnownHeader.Authority, host);
        map.Add(KnownHeader.Path, "/details/0?verbose=1"u8);
        map.Add(KnownHeader.Method, "GET"u8);
        map.Add(KnownHeader.XForwardedProto, "http"u8);
        return map;
    }
}
