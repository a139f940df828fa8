using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Admin;

/// <summary>Whether a resource of that name is wanted in a dump.</summary>
public delegate bool DumpNameFilter(string resourceName);

/// <summary>
/// The sections of /config_dump (Envoy's ConfigTracker). Rooms add theirs by its key; sections show in the order of their keys.
/// Used on the main loop.
/// </summary>
public sealed class ConfigTracker
{
    /// <summary>Envoy's key of the section that is shown only with include_eds.</summary>
    public const string Endpoints = "endpoint";

    private readonly SortedDictionary<string, (Func<DumpNameFilter, Message> Dump, Func<bool>? When)> _sections = new(StringComparer.Ordinal);

    /// <summary>The sections that are shown now, by key.</summary>
    public IEnumerable<KeyValuePair<string, Func<DumpNameFilter, Message>>> Sections =>
        _sections.Where(section => section.Value.When?.Invoke() ?? true).Select(section => KeyValuePair.Create(section.Key, section.Value.Dump));

    /// <summary>The server's tracker, from any factory's singletons.</summary>
    public static ConfigTracker Of(Singletons singletons) => singletons.Get("admin", static () => new ConfigTracker());

    /// <summary>Adds a section; the function makes its admin.v3 message, unredacted, when somebody asks.</summary>
    /// <param name="key">Envoy's: bootstrap, clusters, ecds_filter_http, endpoint, listeners, route_scopes, routes, secrets.</param>
    /// <param name="dump">Makes the section.</param>
    /// <param name="when">Whether it is shown; null is always.</param>
    public void Add(string key, Func<DumpNameFilter, Message> dump, Func<bool>? when = null) => _sections[key] = (dump, when);
}
