using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using ExtensionConfigSource = Envoy.Config.Core.V3.ExtensionConfigSource;

namespace MeshProxy.Proxy.Network;

/// <summary>A network filter whose configuration comes by ECDS; shared by all loops, the newest is read for each connection.</summary>
internal sealed class DiscoveredNetworkFilter : INetworkFilterConfig, IExtensionUser
{
    private readonly string _name;
    private readonly bool _isLast;
    private readonly FactoryContext _context;
    private readonly HashSet<string> _types;
    private readonly INetworkFilterConfig? _default;
    private volatile INetworkFilterConfig? _current;

    private DiscoveredNetworkFilter(string name, ExtensionConfigSource source, bool isLast, FactoryContext context)
    {
        _name = name;
        _isLast = isLast;
        _context = context;
        _types = [.. source.TypeUrls.Select(SchemaRegistry.NameInUrl)];
        _default = source.DefaultConfig is { } given ? Compile(given) : null;
        if (source.ApplyDefaultConfigWithoutWarming)
        {
            _current = _default;
        }
    }

    /// <exception cref="ConfigurationException">The source or the default cannot work.</exception>
    public static DiscoveredNetworkFilter Follow(string name, ExtensionConfigSource discovery, bool isLast, FactoryContext context)
    {
        var source = discovery.ConfigSource ?? throw new ConfigurationException($"{name}.config_discovery.config_source: is missing; set it.");
        var discovered = new DiscoveredNetworkFilter(name, discovery, isLast, context);
        ExtensionSubscription.Follow(
            "network_filter", name, source, waits: !discovery.ApplyDefaultConfigWithoutWarming, discovered, context);
        return discovered;
    }

    public void CreateFilter(Connection connection)
    {
        if (_current is { } current)
        {
            current.CreateFilter(connection);
        }
        else
        {
            connection.AddReadFilter(new ClosingFilter("no_filter_config_found"));
        }
    }

    public Action Prepare(Any config)
    {
        var compiled = Compile(config);
        return () => _current = compiled;
    }

    public void UseDefault(bool removed) => _current = removed ? _default : _current ?? _default;

    private INetworkFilterConfig Compile(Any any)
    {
        if (!_types.Contains(any.TypeName))
        {
            throw new ConfigurationException($"{_name}: Error: filter config has type URL {any.TypeName} but expect {string.Join(", ", _types)}; send one of these.");
        }
        if (Extensions.FindNetwork(_name, any.TypeName) is not { } factory || any.Message is not { } message)
        {
            throw new ConfigurationException($"{_name}: Didn't find a registered implementation for '{_name}' with type URL: '{any.TypeName}'; use a known filter.");
        }
        if (factory.IsTerminal(message) != _isLast)
        {
            throw new ConfigurationException($"{_name}: Error: {(_isLast ? "non-terminal" : "terminal")} filter named {_name} of type {factory.Name} must {(_isLast ? "not " : "")}be the last filter in a network filter chain; change its place.");
        }
        return factory.Compile(message, _context);
    }
}
