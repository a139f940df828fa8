using BenchmarkDotNet.Attributes;

namespace MeshProxy.Bench.Micro;

/// <summary>A request through the whole proxy and back, over kept-alive connections: what one allocates on all threads.</summary>
public class Exchanges
{
    private RunningProxy _proxy = null!;

    [GlobalSetup]
    public void Start() => _proxy = new RunningProxy();

    [GlobalCleanup]
    public void Stop() => _proxy.Dispose();

    [Benchmark]
    public void Http1() => _proxy.Exchange(Given.RequestHead);
}
