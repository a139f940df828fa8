using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Configuration;

/// <summary>
/// What the compile step of an extension may use; lives as long as the process (ServerContext) plus what belongs to the
/// listener or cluster being compiled. Compiling runs on the main loop's side, never on the hot path.
/// </summary>
public abstract class FactoryContext
{
    private List<IDisposable>? _owned;

    public abstract IClusterManager Clusters { get; }

    /// <summary>Scope of the owner: `listener.…`, `http.<prefix>.`, `cluster.<name>.`.</summary>
    public abstract IStatsScope Scope { get; }

    /// <summary>The server's root scope.</summary>
    public abstract IStatsScope ServerScope { get; }

    public abstract EventLoop MainLoop { get; }

    /// <summary>All worker loops.</summary>
    public abstract IReadOnlyList<EventLoop> Workers { get; }

    public abstract Envoy.Config.Core.V3.Node Node { get; }

    public abstract IRuntime Runtime { get; }

    public abstract AccessLogManager AccessLogs { get; }

    /// <summary>Secrets by SDS configuration or static name.</summary>
    public abstract Security.ISecretManager Secrets { get; }

    /// <summary>What must be warm before the owner takes traffic (RDS, SDS, JWKS…): register, complete when ready.</summary>
    public abstract InitManager Init { get; }

    public abstract MessageValidationOptions Validation { get; }

    public abstract Discovery.ISubscriptionFactory Subscriptions { get; }

    public abstract Listeners.ListenerFacts? Listener { get; }

    /// <summary>Whether connections of the filter chain being compiled should end; never for what is not a listener's.</summary>
    public abstract Listeners.IDrainDecision Drain { get; }

    public abstract Singletons Singletons { get; }

    public abstract OverloadState Overload { get; }

    public abstract ServerHealth Health { get; }

    /// <summary>Ends <paramref name="followed"/> (subscriptions, timers) with what is being compiled, also when that is refused.</summary>
    public void Own(IDisposable followed) => (_owned ??= []).Add(followed);

    /// <summary>What was compiled serves no longer.</summary>
    public void Release()
    {
        foreach (var followed in _owned ?? [])
        {
            followed.Dispose();
        }
        _owned = null;
    }
}

/// <summary>What is done with unknown fields and deprecated ones.</summary>
public sealed record MessageValidationOptions(bool RejectUnknownFields);

/// <summary>Runtime keys (`envoy.reloadable_features.…`, fractions): layered, changed by files or the admin interface.</summary>
public interface IRuntime
{
    /// <summary>Grows with every change: whoever caches a value reads it again when this differs.</summary>
    long Generation { get; }

    ulong GetInteger(string key, ulong defaultValue);

    double GetDouble(string key, double defaultValue);

    bool GetBoolean(string key, bool defaultValue);

    string? GetString(string key);

    /// <summary>Whether a draw (the stream's random value, or a fresh one) falls below numerator/denominator; the key overrides in percent.</summary>
    bool FeatureEnabled(string key, uint numerator, uint denominator, ulong random);
}

/// <summary>Counts what must be ready before an owner is warm.</summary>
public sealed class InitManager
{
    private int _pending;
    private bool _sealed;
    private Action? _whenReady;

    /// <summary>Registers something to wait for; call the returned action once when it is ready (main loop).</summary>
    public Action Register()
    {
        _pending++;
        var done = false;
        return () =>
        {
            if (!done)
            {
                done = true;
                _pending--;
                Complete();
            }
        };
    }

    /// <summary>All are registered: <paramref name="whenReady"/> runs once none is pending, perhaps at once.</summary>
    public void Initialize(Action whenReady)
    {
        _sealed = true;
        _whenReady = whenReady;
        Complete();
    }

    public bool Ready => _sealed && _pending == 0;

    private void Complete()
    {
        if (_sealed && _pending == 0 && _whenReady is { } ready)
        {
            _whenReady = null;
            ready();
        }
    }
}
