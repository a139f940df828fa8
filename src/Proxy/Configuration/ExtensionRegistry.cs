using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Network;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Configuration;

/// <summary>Compiles one HTTP filter by the type URL of its configuration. A new filter is one file and one line in <see cref="Extensions"/>.</summary>
public interface IHttpFilterFactory
{
    /// <summary>Full message name of the filter's configuration.</summary>
    string ConfigType { get; }

    /// <summary>The name by which a configuration without type is found, `envoy.filters.http.…`.</summary>
    string Name { get; }

    /// <summary>Last of its chain and answers every request (router, …).</summary>
    bool IsTerminal => false;

    IHttpFilterConfig Compile(Message config, string statPrefix, FactoryContext context);

    /// <summary>Compiles typed_per_filter_config; null type when the filter has none.</summary>
    string? PerRouteConfigType => null;

    object CompilePerRoute(Message config, FactoryContext context) =>
        throw new ConfigurationException($"The filter {Name} has no configuration per route.");
}

/// <summary>A compiled network filter: adds its instances to a new connection.</summary>
public interface INetworkFilterConfig
{
    void CreateFilter(Transport.Connection connection);
}

public interface INetworkFilterFactory
{
    string ConfigType { get; }

    string Name { get; }

    bool IsTerminal(Message config) => false;

    INetworkFilterConfig Compile(Message config, FactoryContext context);
}

/// <summary>A compiled listener filter.</summary>
public interface IListenerFilterConfig
{
    Listeners.IListenerFilter Create();
}

public interface IListenerFilterFactory
{
    string ConfigType { get; }

    string Name { get; }

    IListenerFilterConfig Compile(Message config, FactoryContext context);
}
