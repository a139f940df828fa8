using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.RateLimits;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Network.Ratelimit.V3.RateLimit;
using DescriptorMessage = Envoy.Extensions.Common.Ratelimit.V3.RateLimitDescriptor;

namespace MeshProxy.Proxy.Network.Filters;

/// <summary>envoy.filters.network.ratelimit: a service counts connections of all proxies together.</summary>
internal sealed class RateLimitNetworkFilterFactory : INetworkFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.network.ratelimit";

    public INetworkFilterConfig Compile(Message message, FactoryContext context) =>
        new RateLimitNetworkConfig(Config.From(message), context);
}

/// <summary>Compiled; shared by all connections.</summary>
internal sealed class RateLimitNetworkConfig : INetworkFilterConfig
{
    public const int Ok = 0;
    public const int Error = 1;
    public const int OverLimit = 2;
    public const int FailureModeAllowed = 3;
    public const int Total = 4;
    public const int ConnectionsClosed = 5;
    public const int Active = 6;

    private const string Field = "ratelimit";

    /// <summary>All, in ten thousandths.</summary>
    private const uint Always = 10_000;

    private static readonly StatBlockLayout Layout = new(
    [
        ("ok", StatKind.Counter),
        ("error", StatKind.Counter),
        ("over_limit", StatKind.Counter),
        ("failure_mode_allowed", StatKind.Counter),
        ("total", StatKind.Counter),
        ("cx_closed", StatKind.Counter),
        ("active", StatKind.Gauge),
    ]);

    private readonly Counted[] _descriptors;
    private readonly FractionalPercent _enabled;
    private readonly FractionalPercent _enforced;

    public RateLimitNetworkConfig(Config config, FactoryContext context)
    {
        Domain = config.Domain;
        DeniesOnFailure = config.FailureModeDeny;
        Client = new RateLimitClient(config.RateLimitService, config.Timeout, context, $"{Field}.rate_limit_service");
        _descriptors = new Counted[config.Descriptors.Count];
        for (var i = 0; i < _descriptors.Length; i++)
        {
            _descriptors[i] = new Counted(config.Descriptors[i], $"{Field}.descriptors[{i}]");
        }
        _enabled = FractionalPercent.Of(Always, "ratelimit.tcp_filter_enabled", context.Runtime);
        _enforced = FractionalPercent.Of(Always, "ratelimit.tcp_filter_enforcing", context.Runtime);
        Stats = context.ServerScope.Scope($"ratelimit.{config.StatPrefix}").Block(Layout);
    }

    public string Domain { get; }

    public bool DeniesOnFailure { get; }

    public RateLimitClient Client { get; }

    public StatBlock Stats { get; }

    public bool Enabled => _enabled.Takes((ulong)Random.Shared.NextInt64());

    public bool Enforced => _enforced.Takes((ulong)Random.Shared.NextInt64());

    public List<RateLimitDescriptor> Describe(StreamInfo info)
    {
        var context = new LogContext(null, null, null, info);
        var descriptors = new List<RateLimitDescriptor>(_descriptors.Length);
        foreach (var descriptor in _descriptors)
        {
            descriptors.Add(descriptor.Describe(context));
        }
        return descriptors;
    }

    public void CreateFilter(Connection connection) => connection.AddReadFilter(new RateLimitNetworkFilter(this));

    /// <summary>A configured descriptor, whose values are formats.</summary>
    private sealed class Counted
    {
        private readonly (string Key, HeaderValueFormat Value)[] _entries;
        private readonly RateLimitOverride? _limit;
        private readonly ulong? _hits;
        private readonly bool _negative;

        public Counted(DescriptorMessage config, string field)
        {
            _entries = new (string, HeaderValueFormat)[config.Entries.Count];
            for (var i = 0; i < _entries.Length; i++)
            {
                var entry = config.Entries[i];
                _entries[i] = (entry.Key, HeaderValueFormat.Compile(entry.Value, $"{field}.entries[{i}].value"));
            }
            _limit = config.Limit is { } limit
                ? new RateLimitOverride(limit.RequestsPerUnit, (int)limit.Unit, limit.UnitMultiplier) : null;
            _hits = config.HitsAddend;
            _negative = config.IsNegativeHits;
        }

        public RateLimitDescriptor Describe(in LogContext context)
        {
            var entries = new List<KeyValuePair<string, string>>(_entries.Length);
            foreach (var (key, value) in _entries)
            {
                entries.Add(new(key, value.Format(context)));
            }
            return new RateLimitDescriptor(entries, _hits, _negative, null, _limit);
        }
    }
}

/// <summary>Holds a connection until the service has counted it.</summary>
internal sealed class RateLimitNetworkFilter(RateLimitNetworkConfig config) : IReadFilter, IConnectionCallbacks, IRateLimitCallbacks
{
    private const string Namespace = "envoy.filters.network.ratelimit";
    private const string OverLimitReason = "ratelimit_close_over_limit";
    private const string ErrorReason = "ratelimit_error_close";

    private IReadFilterCallbacks _callbacks = null!;
    private IAsyncRequest? _call;
    private bool _asking;
    private bool _waiting;
    private bool _refused;

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
        _callbacks = callbacks;
        callbacks.Connection.AddCallbacks(this);
    }

    public FilterStatus OnNewConnection()
    {
        if (!config.Enabled)
        {
            return FilterStatus.Continue;
        }
        config.Stats.Inc(RateLimitNetworkConfig.Total);
        config.Stats.Inc(RateLimitNetworkConfig.Active);
        var info = _callbacks.StreamInfo;
        _asking = _waiting = true;
        _call = config.Client.Limit(config.Domain, config.Describe(info), 0, info, null, null, this);
        _asking = false;
        return Held;
    }

    public FilterStatus OnData(ByteBuffer data, bool endStream) => Held;

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent != ConnectionEvent.Connected && _waiting)
        {
            _waiting = false;
            _call?.Cancel();
            config.Stats.Dec(RateLimitNetworkConfig.Active);
        }
    }

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }

    public void OnLimit(LimitAnswer answer)
    {
        _waiting = false;
        config.Stats.Dec(RateLimitNetworkConfig.Active);
        if (answer.DynamicMetadata is { } metadata)
        {
            _callbacks.StreamInfo.DynamicMetadata.Set(Namespace, metadata.Fields);
        }
        config.Stats.Inc(answer.Status switch
        {
            LimitStatus.Ok => RateLimitNetworkConfig.Ok,
            LimitStatus.OverLimit => RateLimitNetworkConfig.OverLimit,
            _ => RateLimitNetworkConfig.Error,
        });
        if (answer.Status == LimitStatus.OverLimit && config.Enforced)
        {
            Close(OverLimitReason);
            return;
        }
        if (answer.Status == LimitStatus.Error)
        {
            if (config.DeniesOnFailure)
            {
                Close(ErrorReason);
                return;
            }
            config.Stats.Inc(RateLimitNetworkConfig.FailureModeAllowed);
        }
        if (!_asking)
        {
            _callbacks.ContinueReading();
        }
    }

    private FilterStatus Held => _waiting || _refused ? FilterStatus.StopIteration : FilterStatus.Continue;

    private void Close(string reason)
    {
        _refused = true;
        config.Stats.Inc(RateLimitNetworkConfig.ConnectionsClosed);
        _callbacks.Connection.Close(ConnectionCloseType.NoFlush, reason);
    }
}
