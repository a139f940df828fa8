using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.Rbac;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Network.Rbac;

/// <summary>Decides when the first bytes come (or the client ends): by then TLS and the listener filters have told what they know.</summary>
internal sealed class RbacNetworkFilter(RbacNetworkConfig config) : IReadFilter, IConnectionCallbacks
{
    private const string Namespace = "envoy.filters.network.rbac";

    private IReadFilterCallbacks _callbacks = null!;
    private LoopTimer? _denyTimer;
    private bool _decided;
    private bool _denied;

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
        _callbacks = callbacks;
        callbacks.Connection.AddCallbacks(this);
    }

    public FilterStatus OnNewConnection() => FilterStatus.Continue;

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        if (_denied)
        {
            return FilterStatus.StopIteration;
        }
        if (_decided && !config.Continuous)
        {
            return FilterStatus.Continue;
        }
        _decided = true;
        var context = new RbacContext(_callbacks.Connection, _callbacks.StreamInfo, null, null);
        if (config.Rules.Shadow is { } shadow)
        {
            var tried = shadow.Decide(context);
            config.Stats.Count(tried, shadow: true);
            Record(tried);
        }
        if (config.Rules.Enforced is not { } engine)
        {
            return FilterStatus.Continue;
        }
        var decision = engine.Decide(context);
        config.Stats.Count(decision, shadow: false);
        if (decision.Allowed)
        {
            return FilterStatus.Continue;
        }
        _denied = true;
        var info = _callbacks.StreamInfo;
        info.ConnectionTerminationDetails = RbacRules.Details(decision.Policy);
        // No filter behind this one will count what came.
        info.BytesReceived += data.Length;
        info.DownstreamWireBytesReceived += data.Length;
        Deny();
        return FilterStatus.StopIteration;
    }

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent != ConnectionEvent.Connected)
        {
            _denyTimer?.Disarm();
        }
    }

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }

    private void Deny()
    {
        if (config.DenyDelay <= TimeSpan.Zero)
        {
            Close();
            return;
        }
        _denyTimer = _callbacks.Connection.Loop.CreateTimer(Close);
        _denyTimer.Arm(config.DenyDelay);
    }

    private void Close() => _callbacks.Connection.Close(ConnectionCloseType.NoFlush, "rbac_deny_close");

    private void Record(in RbacDecision decision)
    {
        var metadata = _callbacks.StreamInfo.DynamicMetadata;
        if (decision.Policy is { } policy)
        {
            metadata.Set(Namespace, $"{config.ShadowPrefix}shadow_effective_policy_id", MetadataValue.From(policy));
        }
        metadata.Set(Namespace, $"{config.ShadowPrefix}shadow_engine_result", MetadataValue.From(decision.Allowed ? "allowed" : "denied"));
    }
}
