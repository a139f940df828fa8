using BenchmarkDotNet.Attributes;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Bench.Micro;

/// <summary>The chains of istiod's virtualInbound: by port, transport protocol and application protocol.</summary>
public class FilterChainMatching
{
    private readonly FilterChainMatcher _matcher = new();
    private readonly ConnectionInfo _mutual = Given.Connection(9080, "tls", "istio-http/1.1", "istio");
    private readonly ConnectionInfo _plain = Given.Connection(9080, "raw_buffer");
    private readonly ConnectionInfo _elsewhere = Given.Connection(7070, "raw_buffer", "http/1.1");

    [GlobalSetup]
    public void Fill()
    {
        string[] mesh = ["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"];
        Add("blackhole", new FilterChainCriteria { DestinationPort = 15006 });
        Add("catchall-tls", new FilterChainCriteria { TransportProtocol = "tls", ApplicationProtocols = ["istio-http/1.0", "istio-http/1.1", "istio-h2"] });
        Add("catchall-http", new FilterChainCriteria { TransportProtocol = "raw_buffer", ApplicationProtocols = ["http/1.1", "h2c"] });
        Add("catchall", new FilterChainCriteria { TransportProtocol = "raw_buffer" });
        Add("9080-tls", new FilterChainCriteria { DestinationPort = 9080, TransportProtocol = "tls", ApplicationProtocols = mesh });
        Add("9080", new FilterChainCriteria { DestinationPort = 9080, TransportProtocol = "raw_buffer" });
    }

    [Benchmark]
    public string MutualTls() => _matcher.Find(_mutual)!.Name;

    [Benchmark]
    public string PlainText() => _matcher.Find(_plain)!.Name;

    [Benchmark]
    public string CatchAll() => _matcher.Find(_elsewhere)!.Name;

    private void Add(string name, FilterChainCriteria criteria) => _matcher.Add(criteria, new CompiledFilterChain
    {
        Name = name,
        Definition = Envoy.Config.Listener.V3.FilterChain.New().Message,
        TransportSocket = RawBufferSocketFactory.Instance,
        Filters = [],
        TransportSocketConnectTimeout = TimeSpan.Zero,
        Metadata = new DynamicMetadata(),
        Drain = new DrainState(null, DrainStrategy.Immediate, TimeSpan.Zero),
    });
}
