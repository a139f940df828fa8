using BenchmarkDotNet.Attributes;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Observability.Statistics;

namespace MeshProxy.Bench.Micro;

/// <summary>HTTP/1 heads: twelve header lines of a request, six of a response.</summary>
public class HeadParsing
{
    private static readonly Http1Stats Stats = new(new StatsStore(1).Root);
    private readonly Http1HeadParser _requests = new(new Http1Settings(), new CodecLimits(), Stats, isServer: true);
    private readonly Http1HeadParser _responses = new(new Http1Settings(), new CodecLimits(), Stats, isServer: false);

    [Benchmark]
    public bool Request() => Parse(_requests, Given.RequestHead);

    [Benchmark]
    public bool Response() => Parse(_responses, Given.ResponseHead);

    private static bool Parse(Http1HeadParser parser, ReadOnlySpan<byte> bytes)
    {
        var map = HeaderMap.Rent();
        Http1Head head = default;
        var accepted = Http1HeadParser.FindEnd(bytes, 0) == bytes.Length && parser.ParseHead(bytes, map, ref head) is null;
        map.Return();
        return accepted ? true : throw new InvalidOperationException("The head was refused: nothing was measured.");
    }
}
