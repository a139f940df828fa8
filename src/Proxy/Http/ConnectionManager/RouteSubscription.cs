using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using ConfigSource = Envoy.Config.Core.V3.ConfigSource;
using RouteConfiguration = Envoy.Config.Route.V3.RouteConfiguration;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>
/// A route table followed by RDS, shared by all managers that name it from the same source; swapped by one reference write
/// (Envoy's RdsRouteConfigSubscription and provider in one).
/// </summary>
internal sealed class RouteSubscription : IRouteProvider, ISubscriptionCallbacks
{
    private static readonly StatBlockLayout Layout = new(
    [
        ("config_reload", StatKind.Counter),
        ("update_empty", StatKind.Counter),
        ("config_reload_time_ms", StatKind.Gauge),
    ]);

    private readonly string _name;
    private readonly FactoryContext _context;
    private readonly StatBlock _stats;
    private readonly List<Action> _waiting = [];
    private volatile RouteTable? _table;
    private bool _answered;

    private RouteSubscription(ConfigSource source, string name, FactoryContext context, IStatsScope scope)
    {
        _name = name;
        _context = context;
        var own = scope.Scope($"rds.{name}");
        _stats = own.Block(Layout);
        Subscription = context.Subscriptions.Subscribe(source, RouteConfiguration.Descriptor.TypeUrl, [name], own, this);
    }

    private ISubscription Subscription { get; }

    /// <summary>The message in force, for config_dump; null before the first.</summary>
    public RouteConfiguration? Message { get; private set; }

    public string Version { get; private set; } = "";

    /// <summary>Finds or starts the subscription; the owner is warm when the first answer, or its time-out, came.</summary>
    public static RouteSubscription Follow(ConfigSource source, string name, FactoryContext context, IStatsScope scope)
    {
        var subscriptions = context.Singletons.Get("routes", static () => new Dictionary<string, RouteSubscription>(StringComparer.Ordinal));
        var key = $"{name}|{Convert.ToBase64String(source.Message.ToBytes())}";
        if (!subscriptions.TryGetValue(key, out var known))
        {
            known = new RouteSubscription(source, name, context, scope);
            subscriptions[key] = known;
            known.Wait(context.Init);
            known.Subscription.Start();
        }
        else
        {
            known.Wait(context.Init);
        }
        return known;
    }

    public RouteTable? Table(HeaderMap headers, StreamInfo info) => _table;

    public void OnConfigUpdate(IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string systemVersion, bool isDelta)
    {
        foreach (var resource in added)
        {
            if (resource.Name == _name)
            {
                Apply(resource);
            }
        }
        if (added.Count == 0)
        {
            _stats.Inc(1);
        }
        Answered();
    }

    public void OnConfigUpdateFailed(string reason, bool initialFetchTimeout) => Answered();

    private void Apply(DecodedResource resource)
    {
        var message = RouteConfiguration.From(resource.Resource);
        if (Message is { } known && known.Message.Equals(message.Message))
        {
            Version = resource.Version;
            return;
        }
        _table = RouteTableCompiler.Compile(message, _context, validateClusters: false);
        Message = message;
        Version = resource.Version;
        _stats.Inc(0);
        _stats.Set(2, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
    }

    private void Wait(InitManager init)
    {
        if (!_answered)
        {
            _waiting.Add(init.Register());
        }
    }

    private void Answered()
    {
        _answered = true;
        foreach (var ready in _waiting)
        {
            ready();
        }
        _waiting.Clear();
    }
}
