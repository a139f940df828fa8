using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Statistics;
using MeshProxy.Proxy.Security;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Tests.Security;

/// <summary>The compile context of one owner with statistics of its own and secrets given by the test.</summary>
public sealed class TestContext(EventLoop loop, ISecretManager? secrets = null) : FactoryContext
{
    private readonly StatsStore _store = new(2);

    public Envoy.Config.Core.V3.Node NodeValue { get; init; } = Envoy.Config.Core.V3.Node.New();

    public IRuntime? RuntimeValue { get; init; }

    public ListenerFacts? ListenerValue { get; init; }

    public StatsStore Store => _store;

    public override IClusterManager Clusters => throw new NotSupportedException();

    public override IStatsScope Scope => _store.Root;

    public override IStatsScope ServerScope => _store.Root;

    public override EventLoop MainLoop => loop;

    public override IReadOnlyList<EventLoop> Workers => [loop];

    public override Envoy.Config.Core.V3.Node Node => NodeValue;

    public override IRuntime Runtime => RuntimeValue ?? throw new NotSupportedException();

    public override AccessLogManager AccessLogs => throw new NotSupportedException();

    public override ISecretManager Secrets => secrets ?? throw new NotSupportedException();

    public override InitManager Init { get; } = new();

    public override MessageValidationOptions Validation => new(true);

    public override ISubscriptionFactory Subscriptions => throw new NotSupportedException();

    public override ListenerFacts? Listener => ListenerValue;

    public override IDrainDecision Drain => throw new NotSupportedException();

    public override Singletons Singletons { get; } = new();

    public override OverloadState Overload { get; } = new();

    public override ServerHealth Health { get; } = new();

    public long Stat(string name)
    {
        foreach (var stat in _store.Collect(new StatQuery(false, null, static _ => true)))
        {
            if (stat.Name == name)
            {
                return stat.Value;
            }
        }
        throw new ArgumentException($"No stat {name}.");
    }
}
