using System.Globalization;
using MeshProxy.Injection.Documents;
using System.Text.Json.Nodes;

namespace MeshProxy.Injection.Templates;

/// <summary>The user and group that the proxy runs as.</summary>
public sealed record ProxyIdentity(long User, long Group)
{
    /// <summary>interception.md, constants: traffic of this user and group is not redirected to the proxy again.</summary>
    public static ProxyIdentity Default { get; } = new(1337, 1337);

    /// <summary>
    /// OpenShift gives each namespace a range of users and groups, and an application takes the first of them. The proxy
    /// takes the last.
    /// </summary>
    public static ProxyIdentity OfNamespace(JsonObject? metadata)
    {
        var annotations = metadata.Object("annotations");
        var users = LastOf(annotations.Text("openshift.io/sa.scc.uid-range"));
        var groups = LastOf(annotations.Text("openshift.io/sa.scc.supplemental-groups")?.Split(',')[0]) ?? users;
        return new ProxyIdentity(users ?? Default.User, groups ?? Default.Group);
    }

    // START/SIZE or START-END.
    private static long? LastOf(string? range)
    {
        if (range?.Split('/', '-') is not [var first, var second]
            || !long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var start)
            || !long.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var size))
            return null;
        return range.Contains('/', StringComparison.Ordinal) ? start + size - 1 : size;
    }
}
