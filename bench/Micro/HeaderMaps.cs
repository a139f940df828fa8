using BenchmarkDotNet.Attributes;
using MeshProxy.Proxy.Http;

namespace MeshProxy.Bench.Micro;

/// <summary>What a request does to its headers on the way through.</summary>
public class HeaderMaps
{
    private readonly HeaderMap _map = new();

    [GlobalSetup]
    public void Fill()
    {
        _map.Add(KnownHeader.Authority, "details:9080"u8);
        _map.Add(KnownHeader.XForwardedProto, "http"u8);
        for (var i = 0; i < 10; i++) _map.Add($"x-custom-{i}", "some value");
    }

    [Benchmark]
    public int GetKnown() => _map.Get(KnownHeader.XForwardedProto).Length + _map.Get(KnownHeader.Authority).Length;

    [Benchmark]
    public bool GetByName() => _map.TryGet("x-custom-9"u8, out _);

    [Benchmark]
    public int AddSetRemove()
    {
        var map = HeaderMap.Rent();
        map.Add("x-custom"u8, "a value"u8);
        map.Add(KnownHeader.XForwardedProto, "http"u8);
        map.Set(KnownHeader.XForwardedProto, "https"u8);
        map.Set("x-custom"u8, "another, longer value"u8);
        var removed = map.Remove("x-custom"u8);
        map.Return();
        return removed;
    }
}
