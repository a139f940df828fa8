using System.Collections.Concurrent;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Templates;

namespace MeshProxy.Injection.Webhook;

/// <summary>The proxy's user and group by namespace, where the cluster (OpenShift) gives each namespace a range.</summary>
internal sealed class NamespaceIdentities(KubernetesApi api, TimeProvider clock)
{
    // A namespace's range never changes; the bound is for namespaces that are made again under the same name.
    private static readonly TimeSpan Remember = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, (ProxyIdentity Identity, DateTimeOffset Until)> _known =
        new(StringComparer.Ordinal);

    /// <summary>Whether the cluster has OpenShift's security constraints.</summary>
    public static async Task<bool> AreNeededAsync(KubernetesApi api, CancellationToken stop) =>
        await api.GetAsync("/apis/security.openshift.io/v1", stop).ConfigureAwait(false) is not null;

    public async ValueTask<ProxyIdentity> OfAsync(string space, CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        if (_known.TryGetValue(space, out var known) && known.Until > now)
            return known.Identity;
        var found = await api.GetAsync($"/api/v1/namespaces/{space}", stop).ConfigureAwait(false);
        var identity = ProxyIdentity.OfNamespace(found.Object("metadata"));
        _known[space] = (identity, now + Remember);
        return identity;
    }
}
