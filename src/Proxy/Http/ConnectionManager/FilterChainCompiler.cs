using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Filters;
using HttpFilter = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpFilter;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Compiles a list of http_filters (http-semantics 23).</summary>
internal static class FilterChainCompiler
{
    public static IReadOnlyList<HttpFilterEntry> Compile(
        IReadOnlyList<HttpFilter> filters, string statPrefix, FactoryContext context, string field)
    {
        var entries = new List<HttpFilterEntry>();
        for (var i = 0; i < filters.Count; i++)
        {
            if (Compile(filters[i], i == filters.Count - 1, statPrefix, context, $"{field}[{i}]") is { } entry)
            {
                entries.Add(entry);
            }
        }
        return entries;
    }

    /// <summary>Filters of a cluster or router; they end in the codec, which every attempt ends in anyway.</summary>
    public static IReadOnlyList<HttpFilterEntry> CompileUpstream(
        IReadOnlyList<HttpFilter> filters, string statPrefix, FactoryContext context, string field)
    {
        var entries = Compile(filters, statPrefix, context, field);
        return entries.Count == 0 ? entries : [.. entries.Take(entries.Count - 1)];
    }

    private static HttpFilterEntry? Compile(HttpFilter filter, bool isLast, string statPrefix, FactoryContext context, string field)
    {
        if (filter.ConfigTypeCase == HttpFilter.ConfigTypeOneofCase.ConfigDiscovery)
        {
            return Discovered(filter, isLast, statPrefix, context, field);
        }
        var factory = Extensions.FindHttp(filter.Name, filter.TypedConfig?.TypeName);
        if (factory is null)
        {
            return filter.IsOptional
                ? null
                : throw new ConfigurationException($"{field}: Didn't find a registered implementation for '{filter.Name}' with type URL: '{filter.TypedConfig?.TypeName}'; remove it or mark it is_optional.");
        }
        CheckPlace(filter, factory.IsTerminal, isLast, field);
        var message = filter.TypedConfig?.Message
            ?? throw new ConfigurationException($"{field}.typed_config: the filter '{filter.Name}' needs its configuration; set typed_config.");
        return new HttpFilterEntry(filter.Name, factory.Compile(message, statPrefix, context), filter.Disabled, filter.TypedConfig);
    }

    private static HttpFilterEntry Discovered(HttpFilter filter, bool isLast, string statPrefix, FactoryContext context, string field) =>
        new(filter.Name, DiscoveredFilter.Follow(filter, isLast, statPrefix, context, field), filter.Disabled);

    private static void CheckPlace(HttpFilter filter, bool isTerminal, bool isLast, string field)
    {
        if (isTerminal && !isLast)
        {
            throw new ConfigurationException($"{field}: terminal filter named {filter.Name} must be the last filter in a http filter chain; move it.");
        }
        if (!isTerminal && isLast)
        {
            throw new ConfigurationException($"{field}: non-terminal filter named {filter.Name} is the last filter in a http filter chain; add a router behind it.");
        }
        if (isTerminal && filter.Disabled)
        {
            throw new ConfigurationException($"{field}: the terminal filter {filter.Name} cannot be disabled; remove disabled.");
        }
    }
}
