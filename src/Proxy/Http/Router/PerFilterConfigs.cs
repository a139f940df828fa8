using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using FilterConfig = Envoy.Config.Route.V3.FilterConfig;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>The compiled typed_per_filter_config of one level: configuration and on/off by filter name (http-semantics 23).</summary>
internal sealed class PerFilterConfigs
{
    public static readonly PerFilterConfigs Empty = new();

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    public object? Get(string filter) => _entries.TryGetValue(filter, out var entry) ? entry.Config : null;

    /// <summary>True: off, false: on, null: nothing said.</summary>
    public bool? Disabled(string filter) => _entries.TryGetValue(filter, out var entry) ? entry.Disabled : null;

    public static PerFilterConfigs Compile(AnyMap configs, FactoryContext context, string field)
    {
        if (configs.Count == 0)
        {
            return Empty;
        }
        var compiled = new PerFilterConfigs();
        foreach (var (name, any) in configs)
        {
            compiled.Add(name, any, context, $"{field}[{name}]");
        }
        return compiled;
    }

    private void Add(string name, Any any, FactoryContext context, string field)
    {
        if (!any.TryUnpack<FilterConfig>(out var wrapper))
        {
            AddConfig(name, any, optional: false, context, field);
            return;
        }
        if (wrapper.Disabled)
        {
            _entries[name] = new Entry(null, true);
            return;
        }
        if (wrapper.Config is not { } inner)
        {
            throw new ConfigurationException($"{field}: Empty route/virtual host per filter configuration for {name} filter; set config or disabled.");
        }
        if (inner.TypeUrl.Length == 0)
        {
            _entries[name] = new Entry(null, false);
            return;
        }
        AddConfig(name, inner, wrapper.IsOptional, context, field);
    }

    private void AddConfig(string name, Any any, bool optional, FactoryContext context, string field)
    {
        if (Extensions.FindHttpPerRoute(any.TypeName) is not { } factory || any.Message is not { } message)
        {
            if (!optional)
            {
                throw new ConfigurationException(
                    $"{field}: didn't find a registered implementation for '{name}' with type URL: '{any.TypeName}'; remove it or mark it is_optional.");
            }
            return;
        }
        if (factory.PerRouteConfigType is null)
        {
            if (optional)
            {
                return;
            }
            throw new ConfigurationException($"{field}: The filter {name} doesn't support virtual host or route specific configurations; remove it.");
        }
        if (message.Type.FullName != factory.PerRouteConfigType)
        {
            throw new ConfigurationException(
                $"{field}: a {factory.PerRouteConfigType} is expected here, not a {message.Type.FullName}; change the type.");
        }
        _entries[name] = new Entry(factory.CompilePerRoute(message, context), false);
    }

    private readonly record struct Entry(object? Config, bool Disabled);
}
