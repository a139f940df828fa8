using Envoy.Config.Cluster.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Upstream;

/// <summary>
/// Chooses a host's transport socket: the first of transport_socket_matches whose criteria are in the endpoint's metadata, then
/// in its locality's, else the cluster's own.
/// </summary>
internal sealed class TransportSocketMatcher : IDisposable
{
    private const string Namespace = "envoy.transport_socket_match";

    private readonly Entry[] _entries;

    private TransportSocketMatcher(IUpstreamTransportSocketFactory fallback, Entry[] entries)
    {
        Default = fallback;
        _entries = entries;
    }

    public IUpstreamTransportSocketFactory Default { get; }

    public static TransportSocketMatcher Compile(Cluster definition, IUpstreamTransportSocketCompiler compiler, FactoryContext context)
    {
        var fallback = compiler.Compile(definition.TransportSocket, context);
        var entries = new Entry[definition.TransportSocketMatches.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            var match = definition.TransportSocketMatches[i];
            if (match.TransportSocket is null)
            {
                throw new ConfigurationException(
                    $"Provided name for static registration lookup was empty: transport_socket_matches[{i}] '{match.Name}' needs a transport_socket.");
            }
            var criteria = match.Match is { } fields ? MetadataEquality.Read(fields) : [];
            entries[i] = new Entry(match.Name, criteria, compiler.Compile(match.TransportSocket, context));
        }
        return new TransportSocketMatcher(fallback, entries);
    }

    /// <summary>The cluster is gone: its secrets are no longer followed.</summary>
    public void Dispose()
    {
        (Default as IDisposable)?.Dispose();
        foreach (var entry in _entries)
        {
            (entry.Factory as IDisposable)?.Dispose();
        }
    }

    public IUpstreamTransportSocketFactory Resolve(DynamicMetadata endpoint, DynamicMetadata locality)
    {
        if (_entries.Length == 0)
        {
            return Default;
        }
        foreach (var source in (ReadOnlySpan<DynamicMetadata>)[endpoint, locality])
        {
            if (source.Get(Namespace) is not { } fields)
            {
                continue;
            }
            foreach (var entry in _entries)
            {
                if (Includes(fields, entry.Criteria))
                {
                    return entry.Factory;
                }
            }
        }
        foreach (var entry in _entries)
        {
            if (entry.Criteria.Count == 0)
            {
                return entry.Factory;
            }
        }
        return Default;
    }

    private static bool Includes(IReadOnlyDictionary<string, MetadataValue> fields, Dictionary<string, MetadataValue> criteria)
    {
        foreach (var (key, wanted) in criteria)
        {
            if (!fields.TryGetValue(key, out var value) || !MetadataEquality.Equal(value, wanted))
            {
                return false;
            }
        }
        return true;
    }

    private sealed record Entry(string Name, Dictionary<string, MetadataValue> Criteria, IUpstreamTransportSocketFactory Factory);
}
