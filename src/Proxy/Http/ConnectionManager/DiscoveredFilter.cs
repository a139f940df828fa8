using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using HttpFilter = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpFilter;
using TypedExtensionConfig = Envoy.Config.Core.V3.TypedExtensionConfig;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>A filter whose configuration comes by ECDS; shared by all loops, the newest is read for each stream.</summary>
internal sealed class DiscoveredFilter : IHttpFilterConfig, ISubscriptionCallbacks
{
    private readonly string _name;
    private readonly string _statPrefix;
    private readonly FactoryContext _context;
    private readonly HashSet<string> _types;
    private readonly bool _isLast;
    private readonly Action _ready;
    private readonly IHttpFilterConfig? _default;
    private readonly StatBlock _stats;
    private volatile IHttpFilterConfig? _current;

    private static readonly StatBlockLayout Layout = new(
    [
        ("config_reload", StatKind.Counter),
        ("config_fail", StatKind.Counter),
        ("config_conflict", StatKind.Counter),
    ]);

    private DiscoveredFilter(HttpFilter filter, bool isLast, string statPrefix, FactoryContext context, string field)
    {
        var source = filter.ConfigDiscovery!.Value;
        _name = filter.Name;
        _statPrefix = statPrefix;
        _context = context;
        _isLast = isLast;
        _types = [.. source.TypeUrls.Select(SchemaRegistry.NameInUrl)];
        _stats = context.ServerScope.Scope($"extension_config_discovery.http_filter.{filter.Name}").Block(Layout);
        _default = source.DefaultConfig is { } given ? Compile(given, field) : null;
        var scope = context.ServerScope.Scope($"extension_config_discovery.http_filter.{filter.Name}");
        var subscription = context.Subscriptions.Subscribe(
            source.ConfigSource ?? throw new ConfigurationException($"{field}.config_discovery.config_source: is missing; set it."),
            TypedExtensionConfig.Descriptor.TypeUrl, [filter.Name], scope, this);
        _ready = source.ApplyDefaultConfigWithoutWarming ? static () => { } : context.Init.Register();
        if (source.ApplyDefaultConfigWithoutWarming)
        {
            _current = _default;
        }
        subscription.Start();
    }

    public static DiscoveredFilter Follow(HttpFilter filter, bool isLast, string statPrefix, FactoryContext context, string field) =>
        new(filter, isLast, statPrefix, context, field);

    public void CreateFilter(IFilterChainBuilder chain)
    {
        if (_current is { } current)
        {
            current.CreateFilter(chain);
        }
        else
        {
            chain.AddDecoderFilter(new MissingConfigFilter());
        }
    }

    public void OnConfigUpdate(IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string systemVersion, bool isDelta)
    {
        foreach (var resource in added)
        {
            if (resource.Name != _name)
            {
                continue;
            }
            try
            {
                var any = TypedExtensionConfig.From(resource.Resource).TypedConfig
                    ?? throw new ConfigurationException($"{_name}: typed_config is missing; set it.");
                _current = Compile(any, _name);
                _stats.Inc(0);
            }
            catch (ConfigurationException)
            {
                _stats.Inc(1);
                throw;
            }
        }
        if (removed.Contains(_name))
        {
            _current = _default;
        }
        _ready();
    }

    public void OnConfigUpdateFailed(string reason, bool initialFetchTimeout)
    {
        _current ??= _default;
        _ready();
    }

    private IHttpFilterConfig Compile(Any any, string field)
    {
        if (!_types.Contains(any.TypeName))
        {
            throw new ConfigurationException($"{field}: Error: filter config has type URL {any.TypeName} but expect {string.Join(", ", _types)}; send one of these.");
        }
        if (Extensions.FindHttp(_name, any.TypeName) is not { } factory || any.Message is not { } message)
        {
            throw new ConfigurationException($"{field}: Didn't find a registered implementation for '{_name}' with type URL: '{any.TypeName}'; use a known filter.");
        }
        if (factory.IsTerminal != _isLast)
        {
            throw new ConfigurationException($"{field}: Error: {(factory.IsTerminal ? "terminal" : "non-terminal")} filter named {_name} of type {factory.Name} must {(factory.IsTerminal ? "" : "not ")}be the last filter in a http filter chain; change its place.");
        }
        return factory.Compile(message, _statPrefix, _context);
    }
}
