using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Discovery;

/// <summary>Follows resources over a stream: the shared one of ADS, or one of its own.</summary>
/// <param name="startOwn">Starts the mux when it is this subscription's alone, to end with it; null for a shared one.</param>
internal sealed class MuxSubscription(
    Mux mux, Action<Mux>? startOwn, string typeUrl, IReadOnlyCollection<string> names, EventLoop loop, IStatsScope scope,
    TimeSpan initialFetchTimeout, ISubscriptionCallbacks callbacks)
    : SubscriptionBase(loop, scope, initialFetchTimeout, callbacks), IWatchTarget
{
    private IReadOnlyCollection<string> _names = names;
    private Watch? _watch;

    public override void Start()
    {
        ArmFetchTimer();
        _watch = mux.AddWatch(typeUrl, _names, this);
        Stats.Attempted();
        startOwn?.Invoke(mux);
    }

    public override void UpdateResourceInterest(IReadOnlyCollection<string> resourceNames)
    {
        _names = resourceNames;
        _watch?.Update(resourceNames);
    }

    public override void Dispose()
    {
        if (startOwn is not null)
        {
            mux.End();
        }
        _watch?.Dispose();
        base.Dispose();
    }

    void IWatchTarget.OnUpdate(IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string version, bool isDelta)
    {
        if (!Disposed)
        {
            Apply(added, removed, version, isDelta);
            Stats.Attempted();
        }
    }

    void IWatchTarget.OnRejected(string reason)
    {
        if (!Disposed)
        {
            Stats.Rejected();
            Stats.Attempted();
            TellFailed(reason);
        }
    }

    void IWatchTarget.OnStreamFailure()
    {
        if (!Disposed)
        {
            Stats.Failed();
            Stats.Attempted();
        }
    }
}
