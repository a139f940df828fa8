using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Makes the options of the upstream connection out of what filters left in the filter state.</summary>
internal static class UpstreamSocketOptions
{
    private const string ServerName = "envoy.network.upstream_server_name";
    private const string SubjectAltNames = "envoy.network.upstream_subject_alt_names";
    private const string ApplicationProtocols = "envoy.network.application_protocols";

    /// <summary>Null when there is nothing to say: the common case costs look-ups only.</summary>
    public static TransportSocketOptions? From(StreamInfo info)
    {
        var state = info.FilterState;
        var name = state.Get(ServerName)?.SerializeAsString();
        var names = state.Get(SubjectAltNames)?.SerializeAsString();
        var protocols = state.Get(ApplicationProtocols)?.SerializeAsString();
        List<KeyValuePair<string, object>>? shared = null;
        if (state.AnyShared)
        {
            foreach (var (key, value) in state.SharedWithUpstream())
            {
                (shared ??= []).Add(new(key, value));
            }
        }
        if (name is null && names is null && protocols is null && shared is null)
        {
            return null;
        }
        return new TransportSocketOptions
        {
            ServerNameOverride = name,
            VerifySubjectAltNamesOverride = names?.Split(',') ?? [],
            ApplicationProtocolListOverride = protocols?.Split(',') ?? [],
            SharedFilterState = shared is null ? [] : shared,
        };
    }
}
