using System.Collections.Concurrent;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Async;

/// <summary>The asynchronous clients of a server, one a cluster name; safe from any loop.</summary>
internal sealed class AsyncHttpClients(IClusterManager clusters, IRuntime runtime, IStatsScope scope, string zone)
{
    private readonly ConcurrentDictionary<string, AsyncHttpClient> _clients = new(StringComparer.Ordinal);
    private readonly Lazy<RouterConfig> _router = new(() => AsyncHttpClient.RouterFor(clusters, runtime, scope, zone));

    /// <summary>Null when the cluster is unknown.</summary>
    public IAsyncHttpClient? Get(string cluster) => clusters.Get(cluster) is null
        ? null
        : _clients.GetOrAdd(cluster, static (name, router) => new AsyncHttpClient(name, router), _router.Value);
}
