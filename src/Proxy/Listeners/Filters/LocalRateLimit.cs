using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Listener.LocalRatelimit.V3.LocalRateLimit;

namespace MeshProxy.Proxy.Listeners.Filters;

/// <summary>envoy.filters.listener.local_ratelimit: bounds the rate of connections a listener takes.</summary>
internal sealed class LocalRateLimitFactory : IListenerFilterFactory
{
    private static readonly StatBlockLayout Layout = new([("rate_limited", StatKind.Counter)]);

    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.listener.local_ratelimit";

    public IListenerFilterConfig Compile(Message message, FactoryContext context)
    {
        var config = Config.From(message);
        return new LocalRateLimit(
            TokenBucketCompiler.Compile(config.TokenBucket, "local_ratelimit"),
            RuntimeFlag.Compile(config.RuntimeEnabled, context.Runtime),
            context.ServerScope.Scope($"listener_local_ratelimit.{config.StatPrefix}").Block(Layout));
    }
}

/// <summary>Keeps no state of a connection: one instance serves all.</summary>
internal sealed class LocalRateLimit(TokenBucket bucket, RuntimeFlag enabled, StatBlock stats) : IListenerFilterConfig, IListenerFilter
{
    private const int RateLimited = 0;

    public int MaxReadBytes => 0;

    public IListenerFilter Create() => this;

    public FilterStatus OnAccept(IListenerFilterCallbacks callbacks)
    {
        if (enabled.Enabled && !bucket.TryTake())
        {
            stats.Inc(RateLimited);
            callbacks.ContinueFilterChain(false);
            return FilterStatus.StopIteration;
        }
        return FilterStatus.Continue;
    }

    public FilterStatus OnData(ListenerFilterBuffer buffer) => FilterStatus.Continue;

    public void OnClose()
    {
    }
}
