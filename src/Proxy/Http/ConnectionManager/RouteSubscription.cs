using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using ConfigSource = Envoy.Config.Core.V3.ConfigSource;
using RouteConfiguration = Envoy.Config.Route.V3.RouteConfiguration;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>
/// A route table followed by RDS, shared by all managers that name it from the same source, and no longer than one of them
/// lives; swapped by one reference write (Envoy's RdsRouteConfigSubscription and provider in one).
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
    private readonly Action _onUnused;
    private readonly ISubscription _subscription;
    private readonly List<Action> _waiting = [];
    private volatile RouteTable? _table;
    private bool _answered;
    private int _users;

    private RouteSubscription(ConfigSource source, string name, FactoryContext context, IStatsScope scope, Action onUnused)
    {
        _name = name;
        _context = context;
        _onUnused = onUnused;
        var own = scope.Scope($"rds.{name}");
        _stats = own.Block(Layout);
        _subscription = context.Subscriptions.Subscribe(source, RouteConfiguration.Descriptor.TypeUrl, [name], own, this);
    }

    /// <summary>The message in force, for config_dump; null before the first.</summary>
    public RouteConfiguration? Message { get; private set; }

    public string Version { get; private set; } = "";

    public DateTime LastUpdated { get; private set; }

    /// <summary>All tables that are followed, for config_dump.</summary>
    public static IEnumerable<RouteSubscription> All(Singletons singletons) => Known(singletons).Values;

    /// <summary>Finds or starts the subscription; the owner is warm when the first answer, or its time-out, came.</summary>
    /// <param name="source">Where it comes from.</param>
    /// <param name="name">The table's name.</param>
    /// <param name="context">The first user's context.</param>
    /// <param name="scope">Scope of the manager, `http.PREFIX.`.</param>
    /// <param name="use">Dispose when the table is needed no longer.</param>
    public static RouteSubscription Follow(
        ConfigSource source, string name, FactoryContext context, IStatsScope scope, out IDisposable use)
    {
        var known = Known(context.Singletons);
        var key = $"{name}|{Convert.ToBase64String(source.Message.ToBytes())}";
        if (known.TryGetValue(key, out var subscription))
        {
            subscription.Wait(context.Init);
            use = new Use(subscription);
            return subscription;
        }
        subscription = new RouteSubscription(source, name, context, scope, () => known.Remove(key));
        known[key] = subscription;
        subscription.Wait(context.Init);
        use = new Use(subscription);
        subscription._subscription.Start();
        return subscription;
    }

    public RouteTable? Table(HeaderMap headers, StreamInfo info) => _table;

    public void OnConfigUpdate(IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string systemVersion, bool isDelta)
    {
        if (added.Count == 0)
        {
            // Delta: the server has no such table. The one in force stays, and who waits for the first goes on waiting.
            if (!isDelta)
            {
                _stats.Inc(1);
                Answered();
            }
            return;
        }
        try
        {
            Apply(added);
        }
        finally
        {
            Answered();
        }
    }

    public void OnConfigUpdateFailed(string reason, bool initialFetchTimeout) => Answered();

    private static Dictionary<string, RouteSubscription> Known(Singletons singletons) =>
        singletons.Get("routes", static () => new Dictionary<string, RouteSubscription>(StringComparer.Ordinal));

    private void Apply(IReadOnlyList<DecodedResource> added)
    {
        if (added.Count != 1)
        {
            throw new ConfigurationException($"Unexpected RDS resource length: {added.Count}; exactly one is expected for {_name}.");
        }
        var message = RouteConfiguration.From(added[0].Resource);
        if (message.Name != _name)
        {
            throw new ConfigurationException($"Unexpected RDS configuration (expecting {_name}): {message.Name}");
        }
        if (Message is not { } known || !known.Message.Equals(message.Message))
        {
            ResourceChecks.CheckPacked(message.Message, _context.Validation, UnsupportedFeatures.Of(_context.Singletons));
            _table = RouteTableCompiler.Compile(message, _context, validateClusters: false);
            Message = message;
            Version = added[0].Version;
            LastUpdated = DateTime.UtcNow;
            _stats.Inc(0);
            _stats.Set(2, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        }
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
        foreach (var ready in _waiting.ToArray())
        {
            ready();
        }
        _waiting.Clear();
    }

    private sealed class Use : IDisposable
    {
        private readonly RouteSubscription _subscription;
        private bool _ended;

        public Use(RouteSubscription subscription)
        {
            _subscription = subscription;
            subscription._users++;
        }

        public void Dispose()
        {
            if (!_ended)
            {
                _ended = true;
                if (--_subscription._users == 0)
                {
                    _subscription._onUnused();
                    _subscription._subscription.Dispose();
                }
            }
        }
    }
}
