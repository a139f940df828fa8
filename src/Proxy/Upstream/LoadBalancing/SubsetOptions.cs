using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>What is done when no subset fits.</summary>
internal enum SubsetFallback
{
    /// <summary>Of a selector: the policy of all selectors decides.</summary>
    NotDefined,
    None,
    AnyEndpoint,
    DefaultSubset,

    /// <summary>Of a selector: once more with fewer keys.</summary>
    KeysSubset,
}

/// <summary>lb_subset_config or the typed subset policy, compiled.</summary>
internal sealed record SubsetOptions
{
    public required SubsetFallback Fallback { get; init; }

    public required IReadOnlyDictionary<string, MetadataValue> DefaultSubset { get; init; }

    public required SubsetSelector[] Selectors { get; init; }

    public bool LocalityWeightAware { get; init; }

    public bool ScaleLocalityWeight { get; init; }

    public bool PanicModeAny { get; init; }

    public bool ListAsAny { get; init; }

    /// <summary>metadata_fallback_policy FALLBACK_LIST.</summary>
    public bool FallbackList { get; init; }

    public bool AllowRedundantKeys { get; init; }
}

/// <param name="Keys">Sorted, each once.</param>
/// <param name="FallbackKeys">Keys that stay for <see cref="SubsetFallback.KeysSubset"/>.</param>
internal sealed record SubsetSelector(string[] Keys, SubsetFallback Fallback, string[] FallbackKeys, bool SingleHost);
