using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.ScopedRoutes;
using RouteConfiguration = Envoy.Config.Route.V3.RouteConfiguration;
using ScopedRouteConfiguration = Envoy.Config.Route.V3.ScopedRouteConfiguration;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>scoped_routes: a key out of the request's headers chooses the route table.</summary>
internal sealed class ScopedRoutes : IRouteProvider, ISubscriptionCallbacks, IDisposable
{
    private const int Reload = 0;
    private const int AllScopes = 2;
    private const int ActiveScopes = 4;
    private const int ReloadTime = 5;

    private static readonly StatBlockLayout Layout = new(
    [
        ("config_reload", StatKind.Counter),
        ("update_empty", StatKind.Counter),
        ("all_scopes", StatKind.Gauge),
        ("on_demand_scopes", StatKind.Gauge),
        ("active_scopes", StatKind.Gauge),
        ("config_reload_time_ms", StatKind.Gauge),
    ]);

    private readonly Fragment[] _fragments;
    private readonly Config _config;
    private readonly FactoryContext _context;
    private readonly IStatsScope _scope;
    private readonly Action _ready;
    private readonly ISubscription? _subscription;
    private readonly StatBlock? _stats;
    private List<IDisposable> _uses = [];
    private Dictionary<string, ScopedRouteConfiguration> _scopes = new(StringComparer.Ordinal);
    private volatile Dictionary<string, IRouteProvider> _tables = new(StringComparer.Ordinal);

    public ScopedRoutes(Config config, FactoryContext context, IStatsScope scope)
    {
        _config = config;
        _context = context;
        _scope = scope.Scope($"scoped_rds.{config.Name}");
        _fragments = FragmentsOf(config);
        _ready = static () => { };
        switch (config.ConfigSpecifierCase)
        {
            case Config.ConfigSpecifierOneofCase.ScopedRouteConfigurationsList:
                var inline = new Dictionary<string, ScopedRouteConfiguration>(StringComparer.Ordinal);
                foreach (var one in config.ScopedRouteConfigurationsList!.Value.ScopedRouteConfigurations)
                {
                    inline[one.Name] = one;
                }
                Rebuild(inline);
                break;
            case Config.ConfigSpecifierOneofCase.ScopedRds:
                var rds = config.ScopedRds!.Value;
                _stats = _scope.Block(Layout);
                _subscription = context.Subscriptions.Subscribe(
                    rds.ScopedRdsConfigSource ?? throw new ConfigurationException("scoped_rds.scoped_rds_config_source: is missing; set it."),
                    ScopedRouteConfiguration.Descriptor.TypeUrl, [], _scope, this);
                _ready = context.Init.Register();
                _subscription.Start();
                break;
            default:
                throw new ConfigurationException("scoped_routes: no scopes are named; set scoped_route_configurations_list or scoped_rds.");
        }
        Known(context.Singletons).Add(this);
    }

    private sealed record Fragment(byte[] Header, string Separator, uint Index, string? ElementSeparator, string ElementKey);

    /// <summary>The name of the set of scopes.</summary>
    public string Name => _config.Name;

    /// <summary>The scopes in force, for config_dump.</summary>
    public IReadOnlyCollection<ScopedRouteConfiguration> Scopes => _scopes.Values;

    /// <summary>Whether they are followed, not written within the listener.</summary>
    public bool IsFollowed => _subscription is not null;

    /// <summary>version_info of what is in force.</summary>
    public string Version { get; private set; } = "";

    public DateTime LastUpdated { get; private set; }

    /// <summary>All sets of scopes, for config_dump.</summary>
    public static IReadOnlyList<ScopedRoutes> All(Singletons singletons) => Known(singletons);

    public RouteTable? Table(HeaderMap headers, StreamInfo info) =>
        KeyOf(headers) is { } key && _tables.TryGetValue(key, out var provider) ? provider.Table(headers, info) : null;

    public void OnConfigUpdate(IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string systemVersion, bool isDelta)
    {
        var scopes = isDelta ? new Dictionary<string, ScopedRouteConfiguration>(_scopes) : new(StringComparer.Ordinal);
        foreach (var name in removed)
        {
            scopes.Remove(name);
        }
        foreach (var resource in added)
        {
            scopes[resource.Name] = ScopedRouteConfiguration.From(resource.Resource);
        }
        if (IsChange(scopes))
        {
            // One request asks for the tables of all scopes.
            using var paused = _context.Subscriptions.Pause(RouteConfiguration.Descriptor.TypeUrl);
            Rebuild(scopes);
            Version = systemVersion;
            _stats!.Inc(Reload);
            _stats.Set(ReloadTime, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            _stats.Set(AllScopes, scopes.Count);
            _stats.Set(ActiveScopes, scopes.Count);
        }
        _ready();
    }

    public void Dispose()
    {
        Known(_context.Singletons).Remove(this);
        _subscription?.Dispose();
        EndUses(_uses);
    }

    public void OnConfigUpdateFailed(string reason, bool initialFetchTimeout) => _ready();

    private static List<ScopedRoutes> Known(Singletons singletons) =>
        singletons.Get("scoped_routes", static () => new List<ScopedRoutes>());

    private bool IsChange(Dictionary<string, ScopedRouteConfiguration> scopes) =>
        scopes.Count != _scopes.Count
        || scopes.Any(scope => !_scopes.TryGetValue(scope.Key, out var held) || !held.Message.Equals(scope.Value.Message));

    private void Rebuild(Dictionary<string, ScopedRouteConfiguration> scopes)
    {
        var tables = new Dictionary<string, IRouteProvider>(StringComparer.Ordinal);
        var uses = new List<IDisposable>();
        try
        {
            Compile(scopes, tables, uses);
        }
        catch
        {
            EndUses(uses);
            throw;
        }
        _tables = tables;
        _scopes = scopes;
        LastUpdated = DateTime.UtcNow;
        EndUses(_uses);
        _uses = uses;
    }

    private void Compile(
        Dictionary<string, ScopedRouteConfiguration> scopes, Dictionary<string, IRouteProvider> tables, List<IDisposable> uses)
    {
        foreach (var (name, scope) in scopes)
        {
            var key = new StringBuilder();
            foreach (var fragment in scope.KeyValue?.Fragments ?? default)
            {
                key.Append(fragment.StringKey).Append('\n');
            }
            if (!tables.TryAdd(key.ToString(), ProviderOf(scope, uses)))
            {
                throw new ConfigurationException($"scoped_routes[{name}]: the scope has the key of another; use another key.");
            }
        }
    }

    private static void EndUses(List<IDisposable> uses)
    {
        foreach (var use in uses)
        {
            use.Dispose();
        }
        uses.Clear();
    }

    private IRouteProvider ProviderOf(ScopedRouteConfiguration scope, List<IDisposable> uses)
    {
        if (scope.RouteConfiguration is { } inline)
        {
            return new Inline(RouteTableCompiler.Compile(inline, _context, validateClusters: false));
        }
        var table = RouteSubscription.Follow(
            _config.RdsConfigSource ?? throw new ConfigurationException("scoped_routes.rds_config_source: is missing; set it."),
            scope.RouteConfigurationName, _context, _scope, out var use);
        uses.Add(use);
        return table;
    }

    // Null when a part of the key is not in the request: it belongs to no scope.
    private string? KeyOf(HeaderMap headers)
    {
        var key = new StringBuilder();
        foreach (var fragment in _fragments)
        {
            if (headers.GetString(fragment.Header) is not { } value || PartOf(value, fragment) is not { } part)
            {
                return null;
            }
            key.Append(part).Append('\n');
        }
        return key.ToString();
    }

    private static string? PartOf(string value, Fragment fragment)
    {
        var elements = fragment.Separator.Length == 0 ? [value] : value.Split(fragment.Separator);
        if (fragment.ElementSeparator is null)
        {
            return fragment.Index < elements.Length ? elements[fragment.Index] : null;
        }
        foreach (var element in elements)
        {
            var at = element.IndexOf(fragment.ElementSeparator, StringComparison.Ordinal);
            if ((at < 0 ? element : element[..at]) == fragment.ElementKey)
            {
                return at < 0 ? "" : element[(at + fragment.ElementSeparator.Length)..];
            }
        }
        return null;
    }

    private static Fragment[] FragmentsOf(Config config)
    {
        var builders = config.ScopeKeyBuilderValue?.Fragments ?? default;
        var fragments = new Fragment[builders.Count];
        for (var i = 0; i < fragments.Length; i++)
        {
            var extractor = builders[i].HeaderValueExtractorValue
                ?? throw new ConfigurationException($"scoped_routes.scope_key_builder.fragments[{i}]: header_value_extractor is missing; set it.");
            if (extractor.ElementSeparator.Length == 0 && extractor.Index > 0)
            {
                throw new ConfigurationException($"scoped_routes.scope_key_builder.fragments[{i}]: Index > 0 for empty string element separator; set element_separator.");
            }
            var element = extractor.Element;
            fragments[i] = new Fragment(Encoding.ASCII.GetBytes(extractor.Name.ToLowerInvariant()), extractor.ElementSeparator,
                extractor.Index, element?.Separator, element?.Key ?? "");
        }
        return fragments;
    }

    private sealed class Inline(RouteTable table) : IRouteProvider
    {
        public RouteTable? Table(HeaderMap headers, StreamInfo info) => table;
    }
}
