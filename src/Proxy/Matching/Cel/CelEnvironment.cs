namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>The names an expression may use: Envoy's attributes, the process's node, and roots an extension adds.</summary>
/// <param name="node">`xds.node`; null if it is not known here.</param>
/// <param name="roots">Further top-level names.</param>
public sealed class CelEnvironment(Envoy.Config.Core.V3.Node? node = null, IReadOnlyDictionary<string, CelAttribute>? roots = null)
{
    public static readonly CelEnvironment Default = new();

    /// <summary>Texts may be joined by `+` (CelExpressionConfig.enable_string_concat).</summary>
    public bool JoinsStrings { get; init; }

    /// <summary>`split` and `replace` are known (CelExpressionConfig.enable_string_functions).</summary>
    public bool HasStringFunctions { get; init; }

    /// <summary>As a field of configuration has it; conversions to text are always there.</summary>
    public static CelEnvironment Of(Envoy.Config.Core.V3.Node node, Envoy.Config.Core.V3.CelExpressionConfig? config) => new(node)
    {
        JoinsStrings = config?.EnableStringConcat ?? false,
        HasStringFunctions = config?.EnableStringFunctions ?? false,
    };

    /// <summary>The attribute a top-level name stands for by itself; null if the name is unknown.</summary>
    public CelAttribute? Root(string name) =>
        roots?.GetValueOrDefault(name) ?? CelAttributes.Root(name);

    /// <summary>`root.field` as one attribute; null when it is no attribute but a field of a value.</summary>
    public CelAttribute? Attribute(string root, string field)
    {
        if (roots is not null && roots.ContainsKey(root))
        {
            return null;
        }
        if (root == "xds" && field == "node" && node is { } known)
        {
            var value = CelMetadata.Of(known);
            return (in Observability.LogContext _) => value;
        }
        return CelAttributes.Find(root, field);
    }
}
