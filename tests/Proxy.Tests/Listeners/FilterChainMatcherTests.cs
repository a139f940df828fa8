using System.Net;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using Xunit;

namespace MeshProxy.Proxy.Tests.Listeners;

/// <summary>The order of the criteria, their narrowing without a way back, and what counts as the same match.</summary>
public sealed class FilterChainMatcherTests
{
    private static readonly FilterChainCriteria Any = new();

    public static TheoryData<string, string, string> Cases() => new()
    {
        // What a connection brings (local; remote; direct; sni; transport; alpn), the chains, the chain chosen.
        { "local=10.0.0.1:80", "any:", "any" },
        { "local=10.0.0.1:80", "any:|port:port=80", "port" },
        { "local=10.0.0.1:81", "any:|port:port=80", "any" },
        { "local=10.0.0.1:81", "port:port=80", "-" },
        { "local=10.1.2.3:80", "wide:dst=10.0.0.0/8|narrow:dst=10.1.0.0/16", "narrow" },
        { "local=10.2.2.3:80", "wide:dst=10.0.0.0/8|narrow:dst=10.1.0.0/16", "wide" },
        { "local=11.2.2.3:80", "wide:dst=10.0.0.0/8|any:", "any" },
        { "local=[fd00::1]:80", "six:dst=fd00::/8|four:dst=0.0.0.0/0", "six" },
        { "local=10.0.0.1:80", "six:dst=::/0|any:", "any" },
        { "local=10.0.0.1:80 sni=a.test", "exact:sni=a.test|wild:sni=.test|any:", "exact" },
        { "local=10.0.0.1:80 sni=b.test", "exact:sni=a.test|wild:sni=.test|any:", "wild" },
        { "local=10.0.0.1:80 sni=x.b.test", "deep:sni=.b.test|wild:sni=.test", "deep" },
        { "local=10.0.0.1:80 sni=b.test", "deep:sni=.b.test|wild:sni=.test", "wild" },
        { "local=10.0.0.1:80 sni=test", "wild:sni=.test|any:", "any" },
        { "local=10.0.0.1:80", "exact:sni=a.test", "-" },
        { "local=10.0.0.1:80 transport=tls", "tls:transport=tls|raw:transport=raw_buffer", "tls" },
        { "local=10.0.0.1:80 transport=raw_buffer", "tls:transport=tls|any:", "any" },
        { "local=10.0.0.1:80 alpn=h2,http/1.1", "one:alpn=http/1.1|two:alpn=h2", "two" },
        { "local=10.0.0.1:80 alpn=http/1.1,h2", "one:alpn=http/1.1|two:alpn=h2", "one" },
        { "local=10.0.0.1:80 alpn=x", "one:alpn=http/1.1|any:", "any" },
        { "local=10.0.0.1:80 remote=9.9.9.9:5 direct=10.9.0.1:5", "direct:direct=10.0.0.0/8|any:", "direct" },
        { "local=10.0.0.1:80 remote=9.9.9.9:5 direct=11.9.0.1:5", "direct:direct=10.0.0.0/8|any:", "any" },
        { "local=127.0.0.1:80 remote=127.0.0.1:5", "local:type=local|far:type=external", "local" },
        { "local=127.0.0.1:80 remote=127.0.0.9:5", "local:type=local|far:type=external", "far" },
        { "local=10.0.0.1:80 remote=10.0.0.1:5", "local:type=local|any:", "local" },
        { "local=10.0.0.1:80 remote=[::1]:5", "local:type=local|any:", "local" },
        { "local=10.0.0.1:80 remote=9.9.9.9:5", "local:type=local|any:", "any" },
        { "local=10.0.0.1:80 remote=10.5.0.1:5", "wide:src=10.0.0.0/8|narrow:src=10.5.0.0/16", "narrow" },
        { "local=10.0.0.1:80 remote=10.5.0.1:5", "port:sport=5|any:", "port" },
        { "local=10.0.0.1:80 remote=10.5.0.1:6", "port:sport=5|any:", "any" },
        // No way back: the more specific earlier criterion hides the general chain.
        { "local=10.0.0.1:80 sni=b.test", "port:port=80,sni=a.test|any:", "-" },
        { "local=10.1.0.1:80 transport=tls", "narrow:dst=10.1.0.0/16,transport=raw_buffer|any:", "-" },
        { "local=10.0.0.1:80 sni=a.test transport=raw_buffer", "exact:sni=a.test,transport=tls|any:", "-" },
        { "local=10.0.0.1:80 transport=tls alpn=x", "tls:transport=tls,alpn=h2|any:", "-" },
        { "local=10.0.0.1:80 alpn=h2 remote=9.9.9.9:5", "h2:alpn=h2,src=10.0.0.0/8|any:", "-" },
        { "local=127.0.0.1:80 remote=127.0.0.1:5", "local:type=local,sport=9|any:", "-" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Chooses(string connection, string chains, string expected)
    {
        var matcher = new FilterChainMatcher();
        foreach (var chain in chains.Split('|'))
        {
            var name = chain[..chain.IndexOf(':')];
            Assert.Null(matcher.Add(Criteria(chain[(name.Length + 1)..]), Chain(name)));
        }
        Assert.Equal(expected, matcher.Find(Connection(connection))?.Name ?? "-");
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("port=80", "port=80")]
    [InlineData("dst=10.0.0.0/8", "dst=10.0.0.0/8")]
    [InlineData("sni=a.test", "sni=a.test")]
    [InlineData("alpn=h2", "alpn=h2")]
    [InlineData("sport=5", "sport=5")]
    public void TellsOfTheSameMatch(string first, string second)
    {
        var matcher = new FilterChainMatcher();
        var taken = Chain("first");
        Assert.Null(matcher.Add(Criteria(first), taken));
        Assert.Same(taken, matcher.Add(Criteria(second), Chain("second")));
    }

    [Fact]
    public void HasNoChainForAConnectionWithoutAddressUnlessAChainTakesAll()
    {
        var info = Connection("local=10.0.0.1:80");
        info.LocalAddress = new InternalEndPoint("inner", "");
        var narrow = new FilterChainMatcher();
        narrow.Add(Criteria("dst=10.0.0.0/8"), Chain("narrow"));
        Assert.Null(narrow.Find(info));
        narrow.Add(Any, Chain("any"));
        Assert.Equal("any", narrow.Find(info)?.Name);
    }

    private static FilterChainCriteria Criteria(string text)
    {
        var criteria = Any;
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var value = part[(part.IndexOf('=') + 1)..];
            criteria = part[..part.IndexOf('=')] switch
            {
                "port" => criteria with { DestinationPort = int.Parse(value) },
                "dst" => criteria with { DestinationPrefixes = [IPNetwork.Parse(value)] },
                "sni" => criteria with { ServerNames = [value] },
                "transport" => criteria with { TransportProtocol = value },
                "alpn" => criteria with { ApplicationProtocols = [value] },
                "direct" => criteria with { DirectSourcePrefixes = [IPNetwork.Parse(value)] },
                "type" => criteria with { SourceType = value == "local" ? ConnectionSource.SameIpOrLoopback : ConnectionSource.External },
                "src" => criteria with { SourcePrefixes = [IPNetwork.Parse(value)] },
                _ => criteria with { SourcePorts = [int.Parse(value)] },
            };
        }
        return criteria;
    }

    private static ConnectionInfo Connection(string text)
    {
        var facts = text.Split(' ').ToDictionary(part => part[..part.IndexOf('=')], part => part[(part.IndexOf('=') + 1)..]);
        var local = IPEndPoint.Parse(facts["local"]);
        var remote = IPEndPoint.Parse(facts.GetValueOrDefault("remote", "192.0.2.1:4000"));
        return new ConnectionInfo
        {
            LocalAddress = local,
            DirectLocalAddress = local,
            RemoteAddress = remote,
            DirectRemoteAddress = IPEndPoint.Parse(facts.GetValueOrDefault("direct", remote.ToString())),
            RequestedServerName = facts.GetValueOrDefault("sni", ""),
            DetectedTransportProtocol = facts.GetValueOrDefault("transport", ""),
            RequestedApplicationProtocols = facts.TryGetValue("alpn", out var alpn) ? alpn.Split(',') : [],
        };
    }

    private static CompiledFilterChain Chain(string name) => new()
    {
        Name = name,
        Definition = Envoy.Config.Listener.V3.FilterChain.New().Message,
        TransportSocket = RawBufferSocketFactory.Instance,
        Filters = [],
        TransportSocketConnectTimeout = TimeSpan.Zero,
        Metadata = new DynamicMetadata(),
        Drain = new DrainState(null, DrainStrategy.Immediate, TimeSpan.Zero),
    };
}
