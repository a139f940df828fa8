using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Network.LocalRatelimit.V3.LocalRateLimit;

namespace MeshProxy.Proxy.Network.Filters;

/// <summary>envoy.filters.network.local_ratelimit: bounds the rate of new connections of a filter chain.</summary>
internal sealed class LocalRateLimitFilterFactory : INetworkFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.network.local_ratelimit";

    public INetworkFilterConfig Compile(Message message, FactoryContext context)
    {
        var config = Config.From(message);
        // Filters of one share_key and equal bucket draw from one bucket, in whatever listener they are.
        var bucket = config.ShareKey.Length == 0
            ? TokenBucketCompiler.Compile(config.TokenBucket, "local_ratelimit")
            : context.Singletons.Get($"{config.ShareKey}/{config.TokenBucket?.Message}",
                () => TokenBucketCompiler.Compile(config.TokenBucket, "local_ratelimit"));
        return new LocalRateLimitFilterConfig(
            bucket, RuntimeFlag.Compile(config.RuntimeEnabled, context.Runtime),
            context.ServerScope.Scope($"local_rate_limit.{config.StatPrefix}").Block(LocalRateLimitFilterConfig.Layout));
    }
}

/// <summary>Compiled; shared by all connections.</summary>
internal sealed record LocalRateLimitFilterConfig(TokenBucket Bucket, RuntimeFlag Enabled, StatBlock Stats) : INetworkFilterConfig
{
    public const int RateLimited = 0;

    public static readonly StatBlockLayout Layout = new([("rate_limited", StatKind.Counter)]);

    public void CreateFilter(Connection connection) => connection.AddReadFilter(new LocalRateLimitFilter(this));
}

/// <summary>At work on one connection.</summary>
internal sealed class LocalRateLimitFilter(LocalRateLimitFilterConfig config) : IReadFilter
{
    private IReadFilterCallbacks _callbacks = null!;

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks) => _callbacks = callbacks;

    public FilterStatus OnNewConnection()
    {
        if (!config.Enabled.Enabled || config.Bucket.TryTake())
        {
            return FilterStatus.Continue;
        }
        config.Stats.Inc(LocalRateLimitFilterConfig.RateLimited);
        _callbacks.StreamInfo.SetFlag(ResponseFlags.UpstreamRetryLimitExceeded);
        _callbacks.Connection.Close(ConnectionCloseType.NoFlush, "local_ratelimit_close_over_limit");
        return FilterStatus.StopIteration;
    }

    public FilterStatus OnData(ByteBuffer data, bool endStream) => FilterStatus.Continue;
}
