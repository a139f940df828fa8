using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Xds.Protobuf;
using HttpFilter = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpFilter;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>A filter whose configuration comes by ECDS; shared by all loops, the newest is read for each stream.</summary>
internal sealed class DiscoveredFilter : IHttpFilterConfig, IExtensionUser
{
    private readonly string _name;
    private readonly string _statPrefix;
    private readonly FactoryContext _context;
    private readonly HashSet<string> _types;
    private readonly bool _isLast;
    private readonly IHttpFilterConfig? _default;
    private volatile IHttpFilterConfig? _current;

    private DiscoveredFilter(HttpFilter filter, bool isLast, string statPrefix, FactoryContext context, string field)
    {
        var source = filter.ConfigDiscovery!.Value;
        _name = filter.Name;
        _statPrefix = statPrefix;
        _context = context;
        _isLast = isLast;
        _types = [.. source.TypeUrls.Select(SchemaRegistry.NameInUrl)];
        _default = source.DefaultConfig is { } given ? Compile(given, field) : null;
        if (source.ApplyDefaultConfigWithoutWarming)
        {
            _current = _default;
        }
    }

    public static DiscoveredFilter Follow(HttpFilter filter, bool isLast, string statPrefix, FactoryContext context, string field)
    {
        var discovery = filter.ConfigDiscovery!.Value;
        var source = discovery.ConfigSource ?? throw new ConfigurationException($"{field}.config_discovery.config_source: is missing; set it.");
        if (discovery.ApplyDefaultConfigWithoutWarming && discovery.DefaultConfig is null)
        {
            throw new ConfigurationException(
                $"{field}.config_discovery: Error: filter config {filter.Name} applied without warming but has no default config; set default_config.");
        }
        var discovered = new DiscoveredFilter(filter, isLast, statPrefix, context, field);
        ExtensionSubscription.Follow(
            "http_filter", filter.Name, source, waits: !discovery.ApplyDefaultConfigWithoutWarming, discovered, context);
        return discovered;
    }

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

    public Action Prepare(Any config)
    {
        var compiled = Compile(config, _name);
        return () => _current = compiled;
    }

    public void UseDefault(bool removed) => _current = removed ? _default : _current ?? _default;

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
