using System.Text;
using Envoy.Config.Cluster.V3;
using Envoy.Extensions.LoadBalancingPolicies.OverrideHost.V3;
using Envoy.Extensions.LoadBalancingPolicies.PickFirst.V3;
using Envoy.Extensions.LoadBalancingPolicies.RandomSubsetting.V3;
using Envoy.Extensions.LoadBalancingPolicies.Subset.V3;
using Envoy.Extensions.LoadBalancingPolicies.WrrLocality.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;
using ClientSideConfig = Envoy.Extensions.LoadBalancingPolicies.ClientSideWeightedRoundRobin.V3.ClientSideWeightedRoundRobin;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using ClusterProvidedPolicy = Envoy.Extensions.LoadBalancingPolicies.ClusterProvided.V3.ClusterProvided;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

// Policies around other policies, and those of their own kind.
internal sealed partial class LoadBalancerCompiler
{
    // ClientSideWeightedRoundRobin: its periods.
    private static readonly TimeSpan DefaultBlackout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DefaultExpiration = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan DefaultUpdate = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeastUpdate = TimeSpan.FromMilliseconds(100);

    private ILoadBalancerFactory? FromComposedExtension(Any config, ILoadBalancerFactory? provided)
    {
        if (config.Is<ClusterProvidedPolicy>())
        {
            return ClusterProvided(provided);
        }
        if (config.TryUnpack<Subset>(out var subset))
        {
            return new SubsetFactory(Options(subset), FromPolicies(subset.SubsetLbPolicy!.Value, null));
        }
        if (config.TryUnpack<OverrideHost>(out var overrideHost))
        {
            return FromOverrideHost(overrideHost);
        }
        if (config.TryUnpack<ClientSideConfig>(out var weighted))
        {
            return FromClientSide(weighted);
        }
        if (config.TryUnpack<WrrLocality>(out var byLocality))
        {
            return FromPolicies(byLocality.EndpointPickingPolicy!.Value, null) is ClientSideWeightedRoundRobinFactory child
                ? child.ByLocality()
                : throw new ConfigurationException(
                    $"Currently WrrLocalityLoadBalancer only supports ClientSideWeightedRoundRobin as its endpoint picking policy (cluster {cluster.Name}).");
        }
        if (config.TryUnpack<PickFirst>(out var first))
        {
            return new PickFirstFactory(new LoadBalancerOptions { PanicThreshold = PanicThreshold() }, first.ShuffleAddressList);
        }
        return config.TryUnpack<RandomSubsetting>(out var part)
            ? new RandomSubsettingFactory(part.SubsetSize ?? 1, FromPolicies(part.ChildPolicy!.Value, null))
            : null;
    }

    private OverrideHostFactory FromOverrideHost(OverrideHost config)
    {
        var sources = new OverrideSource[config.OverrideHostSources.Count];
        for (var i = 0; i < sources.Length; i++)
        {
            var source = config.OverrideHostSources[i];
            if ((source.Header.Length > 0) == source.Metadata.HasValue)
            {
                throw new ConfigurationException(
                    $"override_host_sources[{i}] of cluster {cluster.Name} must have exactly one of header and metadata.");
            }
            sources[i] = new OverrideSource(source.Header.Length > 0 ? Encoding.ASCII.GetBytes(source.Header) : null, source.Metadata);
        }
        return new OverrideHostFactory(sources, FromPolicies(config.FallbackPolicy!.Value, null));
    }

    private ClientSideWeightedRoundRobinFactory FromClientSide(ClientSideConfig config)
    {
        var update = config.WeightUpdatePeriod ?? DefaultUpdate;
        var reports = new LoadReportOptions(
            (long)(config.BlackoutPeriod ?? DefaultBlackout).TotalMilliseconds,
            (long)(config.WeightExpirationPeriod ?? DefaultExpiration).TotalMilliseconds,
            (long)(update < LeastUpdate ? LeastUpdate : update).TotalMilliseconds,
            config.ErrorUtilizationPenalty ?? 1.0f,
            [.. config.MetricNamesForComputingUtilization]);
        if (config.EnableOobLoadReport == true)
        {
            throw new ConfigurationException(
                $"enable_oob_load_report of cluster {cluster.Name} is not supported; reports are read from responses.");
        }
        var options = new LoadBalancerOptions { PanicThreshold = PanicThreshold(), SlowStart = SlowStart(config.SlowStartConfig) };
        return new ClientSideWeightedRoundRobinFactory(options, reports);
    }

    private static SubsetFactory LegacySubset(Cluster.LbSubsetConfig config, ILoadBalancerFactory policy) => new(
        new SubsetOptions
        {
            Fallback = config.FallbackPolicy switch
            {
                Cluster.LbSubsetConfig.LbSubsetFallbackPolicy.AnyEndpoint => SubsetFallback.AnyEndpoint,
                Cluster.LbSubsetConfig.LbSubsetFallbackPolicy.DefaultSubset => SubsetFallback.DefaultSubset,
                _ => SubsetFallback.None,
            },
            DefaultSubset = config.DefaultSubset is { } fields ? MetadataEquality.Read(fields) : [],
            Selectors = [.. config.SubsetSelectors.Select(static selector => Selector(
                selector.Keys, (int)selector.FallbackPolicy, selector.FallbackKeysSubset, selector.SingleHostPerSubset))],
            LocalityWeightAware = config.LocalityWeightAware,
            ScaleLocalityWeight = config.ScaleLocalityWeight,
            PanicModeAny = config.PanicModeAny,
            ListAsAny = config.ListAsAny,
            FallbackList = config.MetadataFallbackPolicy == Cluster.LbSubsetConfig.LbSubsetMetadataFallbackPolicy.FallbackList,
        },
        policy);

    private static SubsetOptions Options(Subset config) => new()
    {
        Fallback = config.FallbackPolicy switch
        {
            Subset.LbSubsetFallbackPolicy.AnyEndpoint => SubsetFallback.AnyEndpoint,
            Subset.LbSubsetFallbackPolicy.DefaultSubset => SubsetFallback.DefaultSubset,
            _ => SubsetFallback.None,
        },
        DefaultSubset = config.DefaultSubset is { } fields ? MetadataEquality.Read(fields) : [],
        Selectors = Ordered(
            [.. config.SubsetSelectors.Select(static selector => Selector(
                selector.Keys, (int)selector.FallbackPolicy, selector.FallbackKeysSubset, selector.SingleHostPerSubset))],
            config.AllowRedundantKeys),
        LocalityWeightAware = config.LocalityWeightAware,
        ScaleLocalityWeight = config.ScaleLocalityWeight,
        PanicModeAny = config.PanicModeAny,
        ListAsAny = config.ListAsAny,
        FallbackList = config.MetadataFallbackPolicy == Subset.LbSubsetMetadataFallbackPolicy.FallbackList,
        AllowRedundantKeys = config.AllowRedundantKeys,
    };

    // With redundant keys the selector that uses most of them wins.
    private static SubsetSelector[] Ordered(SubsetSelector[] selectors, bool redundant) =>
        redundant ? [.. selectors.OrderByDescending(static selector => selector.Keys.Length)] : selectors;

    // Both forms number their fallback policies alike.
    private static SubsetSelector Selector(IEnumerable<string> keys, int fallback, IEnumerable<string> fallbackKeys, bool singleHost)
    {
        string[] sorted = [.. keys.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        string[] fewer = [.. fallbackKeys.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        var policy = fallback switch
        {
            1 => SubsetFallback.None,
            2 => SubsetFallback.AnyEndpoint,
            3 => SubsetFallback.DefaultSubset,
            4 => SubsetFallback.KeysSubset,
            _ => SubsetFallback.NotDefined,
        };
        if (singleHost && sorted.Length != 1)
        {
            throw new ConfigurationException("subset_lb selector: single_host_per_subset can only be set when there is exactly one key in the selector");
        }
        if (policy == SubsetFallback.KeysSubset)
        {
            if (fewer.Length == 0)
            {
                throw new ConfigurationException("fallback_keys_subset cannot be empty with fallback_policy KEYS_SUBSET");
            }
            if (fewer.Except(sorted).Any() || fewer.Length == sorted.Length)
            {
                throw new ConfigurationException("fallback_keys_subset must be a proper subset of the selector's keys");
            }
        }
        else if (fewer.Length > 0)
        {
            throw new ConfigurationException("fallback_keys_subset can be set only for KEYS_SUBSET fallback_policy");
        }
        return new SubsetSelector(sorted, policy, fewer, singleHost);
    }
}
