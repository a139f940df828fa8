using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.LoadBalancingPolicies.LeastRequest.V3;
using Envoy.Extensions.LoadBalancingPolicies.RoundRobin.V3;
using MeshProxy.Proxy.Configuration;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using RandomPolicy = Envoy.Extensions.LoadBalancingPolicies.Random.V3.Random;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>Compiles a cluster's policy: lb_policy with its own config fields, or the first policy of load_balancing_policy that is known.</summary>
internal sealed partial class LoadBalancerCompiler(Cluster cluster, IRuntime runtime)
{
    /// <param name="provided">How the cluster's type chooses hosts; null when it takes a policy.</param>
    public static ILoadBalancerFactory Compile(Cluster cluster, ILoadBalancerFactory? provided, IRuntime runtime)
    {
        var compiler = new LoadBalancerCompiler(cluster, runtime);
        if (cluster.LoadBalancingPolicy is { } policies)
        {
            compiler.RefuseLegacyFields();
            return compiler.Checked(compiler.FromPolicies(policies, provided), provided);
        }
        if (cluster.LbPolicyValue == Cluster.LbPolicy.ClusterProvided || provided is not null)
        {
            return compiler.ClusterProvided(provided);
        }
        var policy = compiler.FromLegacyFields();
        return cluster.LbSubsetConfigValue is { SubsetSelectors.Count: > 0 } subset ? LegacySubset(subset, policy) : policy;
    }

    private void RefuseLegacyFields()
    {
        if (cluster.LbSubsetConfigValue is not null)
        {
            throw new ConfigurationException(
                $"cluster: load_balancing_policy cannot be combined with lb_subset_config (cluster {cluster.Name}).");
        }
        if (cluster.CommonLbConfigValue is { } common
            && (common.ZoneAwareLbConfigValue is not null || common.LocalityWeightedLbConfigValue is not null
                || common.ConsistentHashingLbConfigValue is not null))
        {
            throw new ConfigurationException(
                "cluster: load_balancing_policy cannot be combined with partial fields (zone_aware_lb_config, "
                + $"locality_weighted_lb_config, consistent_hashing_lb_config) of common_lb_config (cluster {cluster.Name}).");
        }
    }

    private ILoadBalancerFactory Checked(ILoadBalancerFactory chosen, ILoadBalancerFactory? provided) =>
        provided is null || ReferenceEquals(chosen, provided)
            ? chosen
            : throw new ConfigurationException(
                $"cluster: cluster provided LB not specified by cluster '{cluster.Name}'. Check cluster documentation.");

    private ILoadBalancerFactory ClusterProvided(ILoadBalancerFactory? provided)
    {
        if (provided is null)
        {
            throw new ConfigurationException(
                $"cluster: LB policy CLUSTER_PROVIDED cannot be combined with the type of cluster {cluster.Name}, which chooses no hosts itself.");
        }
        if (cluster.LbPolicyValue != Cluster.LbPolicy.ClusterProvided && cluster.LoadBalancingPolicy is null)
        {
            throw new ConfigurationException(
                $"cluster: LB policy {cluster.LbPolicyValue} is not valid for cluster {cluster.Name}. Only 'CLUSTER_PROVIDED' is allowed with its type.");
        }
        if (cluster.LbSubsetConfigValue is { SubsetSelectors.Count: > 0 })
        {
            throw new ConfigurationException(
                $"cluster: LB policy CLUSTER_PROVIDED cannot be combined with lb_subset_config in cluster {cluster.Name}.");
        }
        return provided;
    }

    private ILoadBalancerFactory FromPolicies(LoadBalancingPolicy policies, ILoadBalancerFactory? provided)
    {
        var names = new List<string>();
        foreach (var policy in policies.Policies)
        {
            if (policy.TypedExtensionConfig is { } extension)
            {
                names.Add(extension.Name);
                if (FromExtension(extension, provided) is { } factory)
                {
                    return factory;
                }
            }
        }
        throw new ConfigurationException(
            $"cluster: didn't find a registered load balancer factory for cluster {cluster.Name} with names from [{string.Join(", ", names)}]");
    }

    private ILoadBalancerFactory? FromExtension(TypedExtensionConfig extension, ILoadBalancerFactory? provided)
    {
        if (extension.TypedConfig is not { } config)
        {
            return null;
        }
        if (config.TryUnpack<RoundRobin>(out var roundRobin))
        {
            return new RoundRobinFactory(WithSlowStart(OptionsOf(roundRobin.LocalityLbConfig), SlowStart(roundRobin.SlowStartConfig)));
        }
        if (config.TryUnpack<LeastRequest>(out var leastRequest))
        {
            return new LeastRequestFactory(
                WithSlowStart(OptionsOf(leastRequest.LocalityLbConfig), SlowStart(leastRequest.SlowStartConfig)),
                new LeastRequestOptions(
                    leastRequest.ChoiceCount ?? DefaultChoiceCount,
                    Double(leastRequest.ActiveRequestBias, 1.0),
                    leastRequest.SelectionMethodValue == LeastRequest.SelectionMethod.FullScan || leastRequest.EnableFullScan == true));
        }
        if (config.TryUnpack<RandomPolicy>(out var random))
        {
            return new RandomFactory(OptionsOf(random.LocalityLbConfig));
        }
        return FromHashExtension(config) ?? FromComposedExtension(config, provided);
    }

    // LeastRequestLbConfig.choice_count.
    private const uint DefaultChoiceCount = 2;

    private ILoadBalancerFactory FromLegacyFields()
    {
        var options = LegacyOptions();
        switch (cluster.LbPolicyValue)
        {
            case Cluster.LbPolicy.RoundRobin:
                return new RoundRobinFactory(WithSlowStart(options, SlowStart(cluster.RoundRobinLbConfigValue?.SlowStartConfig)));
            case Cluster.LbPolicy.LeastRequest:
                var config = cluster.LeastRequestLbConfigValue;
                return new LeastRequestFactory(
                    WithSlowStart(options, SlowStart(config?.SlowStartConfig)),
                    new LeastRequestOptions(config?.ChoiceCount ?? DefaultChoiceCount, Double(config?.ActiveRequestBias, 1.0), false));
            case Cluster.LbPolicy.Random:
                return new RandomFactory(options);
            case Cluster.LbPolicy.RingHash:
                return LegacyRingHash(options);
            case Cluster.LbPolicy.Maglev:
                return LegacyMaglev(options);
            default:
                throw new ConfigurationException(
                    $"cluster: field load_balancing_policy need to be set in cluster {cluster.Name} whose lb_policy is LOAD_BALANCING_POLICY_CONFIG.");
        }
    }

    private LoadBalancerOptions LegacyOptions()
    {
        var common = cluster.CommonLbConfigValue;
        var zone = common?.ZoneAwareLbConfigValue;
        return new LoadBalancerOptions
        {
            PanicThreshold = PanicThreshold(),
            LocalityWeighted = common?.LocalityWeightedLbConfigValue is not null,
            // The old form routes by zone unless told otherwise: without any config it does so with the defaults.
            ZoneAware = common?.LocalityWeightedLbConfigValue is not null
                ? null
                : new ZoneAwareOptions(
                    zone?.RoutingEnabled?.Value ?? 100, zone?.MinClusterSize ?? ZoneAwareOptions.DefaultMinClusterSize,
                    zone?.FailTrafficOnPanic ?? false, null, false),
        };
    }

    private LoadBalancerOptions OptionsOf(Envoy.Extensions.LoadBalancingPolicies.Common.V3.LocalityLbConfig? locality)
    {
        var zone = locality?.ZoneAwareLbConfigValue;
        return new LoadBalancerOptions
        {
            PanicThreshold = PanicThreshold(),
            LocalityWeighted = locality?.LocalityWeightedLbConfigValue is not null,
            ZoneAware = zone is { } given
                ? new ZoneAwareOptions(
                    given.RoutingEnabled?.Value ?? 100, given.MinClusterSize ?? ZoneAwareOptions.DefaultMinClusterSize,
                    given.FailTrafficOnPanic,
                    given.ForceLocalZoneValue is { } force ? force.MinSize ?? 1 : given.ForceLocalityDirectRouting ? 1 : null,
                    given.LocalityBasisValue
                        == Envoy.Extensions.LoadBalancingPolicies.Common.V3.LocalityLbConfig.ZoneAwareLbConfig.LocalityBasis.HealthyHostsWeight)
                : null,
        };
    }

    private uint PanicThreshold() => cluster.CommonLbConfigValue?.HealthyPanicThreshold is { } threshold ? (uint)threshold.Value : 50;

    private static LoadBalancerOptions WithSlowStart(LoadBalancerOptions options, SlowStartOptions? slowStart) =>
        slowStart is null ? options : options with { SlowStart = slowStart };

    private SlowStartOptions? SlowStart(Cluster.SlowStartConfig? config) =>
        config is { } given ? SlowStart(given.SlowStartWindow, given.Aggression, given.MinWeightPercent) : null;

    private SlowStartOptions? SlowStart(Envoy.Extensions.LoadBalancingPolicies.Common.V3.SlowStartConfig? config) =>
        config is { } given ? SlowStart(given.SlowStartWindow, given.Aggression, given.MinWeightPercent) : null;

    // Without a window there is no slow start; at least a tenth of the weight is given (SlowStartConfig.min_weight_percent).
    private SlowStartOptions? SlowStart(TimeSpan? window, RuntimeDouble? aggression, Envoy.Type.V3.Percent? minimum) =>
        window is { Ticks: > 0 } length
            ? new SlowStartOptions((long)length.TotalMilliseconds, Double(aggression, 1.0), (minimum?.Value ?? 10.0) / 100.0)
            : null;

    // A value that runtime may override, read anew when runtime changed.
    private Func<double> Double(RuntimeDouble? config, double defaultValue)
    {
        var fixedValue = config?.DefaultValue ?? defaultValue;
        if (config?.RuntimeKey is not { Length: > 0 } key)
        {
            return () => fixedValue;
        }
        return () => runtime.GetDouble(key, fixedValue);
    }
}
