using Envoy.Extensions.LoadBalancingPolicies.Common.V3;
using Envoy.Extensions.LoadBalancingPolicies.Maglev.V3;
using Envoy.Extensions.LoadBalancingPolicies.RingHash.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Xds.Protobuf;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

// Consistent hashing.
internal sealed partial class LoadBalancerCompiler
{
    private ILoadBalancerFactory? FromHashExtension(Any config)
    {
        if (config.TryUnpack<RingHash>(out var ring))
        {
            return new RingHashFactory(
                HashOptions(ring.LocalityWeightedLbConfig is not null),
                Consistent(ring.ConsistentHashingLbConfig, ring.UseHostnameForHashing, ring.HashBalanceFactor),
                RingOptions(ring.MinimumRingSize, ring.MaximumRingSize, ring.HashFunctionValue == RingHash.HashFunction.MurmurHash2));
        }
        if (config.TryUnpack<Maglev>(out var maglev))
        {
            return new MaglevFactory(
                HashOptions(maglev.LocalityWeightedLbConfig is not null),
                Consistent(maglev.ConsistentHashingLbConfig, false, null),
                TableSize(maglev.TableSize));
        }
        return null;
    }

    private RingHashFactory LegacyRingHash(LoadBalancerOptions options)
    {
        var config = cluster.RingHashLbConfigValue;
        return new RingHashFactory(
            options, LegacyConsistent(),
            RingOptions(
                config?.MinimumRingSize, config?.MaximumRingSize,
                config?.HashFunctionValue == Cluster.RingHashLbConfig.HashFunction.MurmurHash2));
    }

    private MaglevFactory LegacyMaglev(LoadBalancerOptions options) =>
        new(options, LegacyConsistent(), TableSize(cluster.MaglevLbConfigValue?.TableSize));

    private LoadBalancerOptions HashOptions(bool localityWeighted) =>
        new() { PanicThreshold = PanicThreshold(), LocalityWeighted = localityWeighted };

    private static ConsistentHashOptions Consistent(ConsistentHashingLbConfig? config, bool useHostname, uint? balanceFactor) =>
        config is { } given
            ? new ConsistentHashOptions(
                given.UseHostnameForHashing, given.HashBalanceFactor ?? 0,
                HashPolicy.Compile(given.HashPolicy, "consistent_hashing_lb_config.hash_policy"))
            : new ConsistentHashOptions(useHostname, balanceFactor ?? 0);

    private ConsistentHashOptions LegacyConsistent()
    {
        if (cluster.CommonLbConfigValue?.ConsistentHashingLbConfigValue is not { } config)
        {
            return new ConsistentHashOptions(false, 0);
        }
        if (config.UseHostnameForHashing
            && cluster.Type is not (Cluster.DiscoveryType.StrictDns or Cluster.DiscoveryType.LogicalDns))
        {
            throw new ConfigurationException(
                $"Cannot use hostname for consistent hashing loadbalancing for cluster of type: '{cluster.Type}' ({cluster.Name}); use STRICT_DNS or LOGICAL_DNS.");
        }
        return new ConsistentHashOptions(config.UseHostnameForHashing, config.HashBalanceFactor ?? 0);
    }

    private RingHashOptions RingOptions(ulong? minimum, ulong? maximum, bool murmur)
    {
        var options = new RingHashOptions(
            minimum ?? RingHashOptions.DefaultMinimum, maximum ?? RingHashOptions.DefaultMaximum, murmur);
        return options.MinimumSize <= options.MaximumSize
            ? options
            : throw new ConfigurationException(
                $"ring hash: minimum_ring_size ({options.MinimumSize}) > maximum_ring_size ({options.MaximumSize}) in cluster {cluster.Name}");
    }

    private uint TableSize(ulong? size)
    {
        var table = (uint)(size ?? MaglevFactory.DefaultTableSize);
        return IsPrime(table)
            ? table
            : throw new ConfigurationException($"The table size of maglev must be prime number: {table} in cluster {cluster.Name} is not.");
    }

    private static bool IsPrime(uint number)
    {
        if (number < 2)
        {
            return false;
        }
        for (ulong divisor = 2; divisor * divisor <= number; divisor++)
        {
            if (number % divisor == 0)
            {
                return false;
            }
        }
        return true;
    }
}
