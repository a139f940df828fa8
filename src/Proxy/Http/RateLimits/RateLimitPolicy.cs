using System.Globalization;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Config.Route.V3.RateLimit;

namespace MeshProxy.Proxy.Http.RateLimits;

/// <summary>A compiled route.v3.RateLimit: makes one descriptor of a request, or none.</summary>
internal sealed class RateLimitPolicy
{
    private readonly RateLimitAction[] _actions;
    private readonly string _disableKey;
    private readonly IRuntime _runtime;
    private readonly RateLimitOverride? _limit;
    private readonly (string Filter, string[] Path)? _limitMetadata;
    private readonly bool? _showsLimits;
    private readonly ulong? _hits;
    private readonly HeaderValueFormat? _hitsFormat;

    private RateLimitPolicy(Config config, FactoryContext context, string field)
    {
        Stage = config.Stage ?? 0;
        _disableKey = config.DisableKey;
        _runtime = context.Runtime;
        _actions = new RateLimitAction[config.Actions.Count];
        for (var i = 0; i < _actions.Length; i++)
        {
            _actions[i] = RateLimitAction.Compile(config.Actions[i], context, $"{field}.actions[{i}]");
        }
        if (config.Limit?.RateLimit is { } given)
        {
            _limit = new RateLimitOverride(given.RequestsPerUnit, (int)given.Unit);
        }
        if (config.Limit?.DynamicMetadataValue is { MetadataKey: { } key })
        {
            _limitMetadata = (key.Key, key.Path.Select(static p => p.Key).ToArray());
        }
        _showsLimits = config.XRatelimitOption switch
        {
            Config.XRateLimitOption.Off => false,
            Config.XRateLimitOption.DraftVersion03 => true,
            _ => null,
        };
        AppliesOnStreamDone = config.ApplyOnStreamDone;
        HasNegativeHits = config.HitsAddendValue is { IsNegativeHits: true };
        _hits = config.HitsAddendValue?.Number;
        _hitsFormat = config.HitsAddendValue is { Format.Length: > 0 } hits
            ? HeaderValueFormat.Compile(hits.Format, $"{field}.hits_addend.format") : null;
    }

    public uint Stage { get; }

    /// <summary>Counted when the exchange is over instead of when it begins (apply_on_stream_done).</summary>
    public bool AppliesOnStreamDone { get; }

    /// <summary>Only a service can give back what was counted.</summary>
    public bool HasNegativeHits { get; }

    public static RateLimitPolicy[] CompileAll(IReadOnlyList<Config> configs, FactoryContext context, string field)
    {
        var policies = new RateLimitPolicy[configs.Count];
        for (var i = 0; i < policies.Length; i++)
        {
            policies[i] = new RateLimitPolicy(configs[i], context, $"{field}[{i}]");
        }
        return policies;
    }

    /// <summary>Adds what the policies of a stage make of the request.</summary>
    /// <param name="onStreamDone">Those that are counted when the exchange is over; else all others.</param>
    public static void Describe(IReadOnlyList<RateLimitPolicy> policies, uint stage, in RateLimitContext context,
        List<RateLimitDescriptor> descriptors, bool onStreamDone = false)
    {
        foreach (var policy in policies)
        {
            if (policy.Stage == stage && policy.AppliesOnStreamDone == onStreamDone && policy.Describe(context) is { } descriptor)
            {
                descriptors.Add(descriptor);
            }
        }
    }

    private RateLimitDescriptor? Describe(in RateLimitContext context)
    {
        if (_disableKey.Length > 0 && !_runtime.FeatureEnabled($"ratelimit.{_disableKey}.http_filter_enabled", 100, 100, context.Info.StreamId))
        {
            return null;
        }
        var entries = new List<KeyValuePair<string, string>>(_actions.Length);
        foreach (var action in _actions)
        {
            if (!action.Add(context, entries))
            {
                return null;
            }
        }
        return entries.Count == 0 ? null : new RateLimitDescriptor(entries, Hits(context), HasNegativeHits, _showsLimits, Limit(context.Info));
    }

    private ulong? Hits(in RateLimitContext context)
    {
        if (_hitsFormat is null)
        {
            return _hits;
        }
        var text = _hitsFormat.Format(context.ForFormats);
        return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var hits) ? hits : null;
    }

    private RateLimitOverride? Limit(StreamInfo info)
    {
        if (_limitMetadata is not { } place)
        {
            return _limit;
        }
        return MetadataPath.Find(info.DynamicMetadata, place.Filter, place.Path) is MetadataValue.StructNode { Fields: var fields }
            && fields.GetValueOrDefault("requests_per_unit") is MetadataValue.NumberNode requests
            && fields.GetValueOrDefault("unit") is MetadataValue.StringNode unit
            && Enum.TryParse<Envoy.Type.V3.RateLimitUnit>(unit.Value, ignoreCase: true, out var parsed)
            ? new RateLimitOverride((uint)requests.Value, (int)parsed) : null;
    }
}
