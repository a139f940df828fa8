using System.Collections.Concurrent;
using System.Net;
using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Discovery;
using MeshProxy.Xds.Protobuf;
using Workload = Istio.Workload.Workload;
using DiscoveredType = Istio.Workload.WorkloadType;

namespace MeshProxy.Proxy.Observability.Istio;

/// <summary>
/// All workloads of the mesh by their addresses, from the control plane (bootstrap extension istio.workload.BootstrapExtension).
/// Changed on the main loop, read by all.
/// </summary>
internal sealed class WorkloadDiscovery : IWorkloadDiscovery, ISubscriptionCallbacks, IDisposable
{
    // What a workload leaves out, in Istio's interface.
    private const string DefaultNamespace = "default";
    private const string DefaultServiceAccount = "default";
    private const string DefaultTrustDomain = "cluster.local";

    private readonly ConcurrentDictionary<IPAddress, WorkloadMetadata> _byAddress = new();
    private readonly Dictionary<string, IPAddress[]> _addresses = new(StringComparer.Ordinal);
    private readonly ISubscription _subscription;
    private readonly Gauge _total;

    /// <exception cref="Configuration.ConfigurationException">The source cannot work.</exception>
    public WorkloadDiscovery(ConfigSource source, ISubscriptionFactory subscriptions, IStatsScope scope)
    {
        _total = scope.Gauge("total");
        _subscription = subscriptions.Subscribe(source, Workload.Descriptor.TypeUrl, [], scope, this);
    }

    public void Start() => _subscription.Start();

    public WorkloadMetadata? Find(EndPoint? address) =>
        address is IPEndPoint ip ? _byAddress.GetValueOrDefault(Plain(ip.Address)) : null;

    public void OnConfigUpdate(
        IReadOnlyList<DecodedResource> added, IReadOnlyList<string> removed, string systemVersion, bool isDelta)
    {
        if (!isDelta)
        {
            var now = added.Select(resource => resource.Name).ToHashSet(StringComparer.Ordinal);
            removed = [.. _addresses.Keys.Where(name => !now.Contains(name))];
        }
        foreach (var name in removed)
        {
            Remove(name);
        }
        foreach (var resource in added)
        {
            Add(resource.Name, Workload.From(resource.Resource));
        }
        _total.Set(_byAddress.Count);
    }

    // Without it peers are only known by what they tell themselves.
    public void OnConfigUpdateFailed(string reason, bool initialFetchTimeout)
    {
    }

    public void Dispose() => _subscription.Dispose();

    private void Add(string name, Workload workload)
    {
        Remove(name);
        var addresses = new List<IPAddress>();
        var metadata = Convert(workload);
        foreach (var bytes in workload.Addresses)
        {
            // 4 or 16 bytes; anything else is no address.
            if (bytes.Length is 4 or 16)
            {
                var address = Plain(new IPAddress(bytes.Span));
                addresses.Add(address);
                _byAddress[address] = metadata;
            }
        }
        _addresses[name] = [.. addresses];
    }

    private void Remove(string name)
    {
        if (!_addresses.Remove(name, out var addresses))
        {
            return;
        }
        foreach (var address in addresses)
        {
            _byAddress.TryRemove(address, out _);
        }
    }

    private static WorkloadMetadata Convert(Workload workload)
    {
        var space = Or(workload.Namespace, DefaultNamespace);
        return new WorkloadMetadata
        {
            Name = workload.Name,
            Cluster = workload.ClusterId,
            Namespace = space,
            Workload = workload.WorkloadName,
            CanonicalName = workload.CanonicalName,
            CanonicalRevision = workload.CanonicalRevision,
            App = workload.CanonicalName,
            Version = workload.CanonicalRevision,
            Type = workload.WorkloadType switch
            {
                DiscoveredType.Cronjob => WorkloadType.CronJob,
                DiscoveredType.Job => WorkloadType.Job,
                DiscoveredType.Pod => WorkloadType.Pod,
                _ => WorkloadType.Deployment,
            },
            Identity = $"spiffe://{Or(workload.TrustDomain, DefaultTrustDomain)}/ns/{space}/sa/{Or(workload.ServiceAccount, DefaultServiceAccount)}",
            Region = workload.Locality?.Region ?? "",
            Zone = workload.Locality?.Zone ?? "",
        };
    }

    private static string Or(string text, string otherwise) => text.Length > 0 ? text : otherwise;

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
