using System.Net;
using Istio.Networking.Nds.V1;

namespace MeshProxy.Agent.Dns;

/// <summary>The names of a table in all the forms in which a pod may ask for them. Never changes.</summary>
internal sealed class NameLookup
{
    private const string Kubernetes = "Kubernetes";
    private const string Wildcard = "*.";

    private readonly Dictionary<string, NameMatch> _names = new(StringComparer.Ordinal);

    /// <param name="table">istiod's table.</param>
    /// <param name="domain">The proxy's DNS domain: NAMESPACE.svc.cluster.local.</param>
    /// <param name="search">The first domain of the pod's search list, or null: only that one is expanded, for ndots.</param>
    public NameLookup(NameTable table, string domain, string? search)
    {
        var suffix = search is null ? null : search.Trim('.').ToLowerInvariant() + ".";
        foreach (var (host, info) in table.Table)
        {
            var addresses = info.Ips.Select(text => IPAddress.TryParse(text, out var address) ? address : null).OfType<IPAddress>().ToList();
            if (addresses.Count > 0)
                Add(Forms(host, info, domain), new NameMatch(addresses), suffix);
        }
    }

    /// <summary>What is known of a name, in lower case with its last dot, or null when nothing is.</summary>
    public NameMatch? Find(string name)
    {
        if (_names.TryGetValue(name, out var exact))
            return exact;
        // The nearest wildcard wins; none matches its own domain.
        for (var dot = name.IndexOf('.'); dot >= 0 && dot < name.Length - 1; dot = name.IndexOf('.', dot + 1))
        {
            if (_names.TryGetValue(string.Concat(Wildcard, name.AsSpan(dot + 1)), out var match))
                return match;
        }
        return null;
    }

    private void Add(IReadOnlyList<string> forms, NameMatch match, string? suffix)
    {
        foreach (var form in forms)
            _names[form] = match;
        if (suffix is null)
            return;
        foreach (var form in forms)
        {
            var expanded = form + suffix;
            if (!form.EndsWith("." + suffix, StringComparison.Ordinal) && !forms.Contains(expanded))
                _names.TryAdd(expanded, match with { Target = form });
        }
    }

    private static List<string> Forms(string host, NameTable.NameInfo info, string domain)
    {
        var forms = new List<string> { Absolute(host) };
        foreach (var alternative in info.AltHosts)
            forms.Add(Absolute(alternative));
        var dot = domain.IndexOf('.');
        if (info.Registry != Kubernetes || dot < 0 || info.Shortname.Length == 0 || info.Namespace.Length == 0
            || !host.EndsWith(domain[dot..], StringComparison.OrdinalIgnoreCase))
            return forms;
        // domain is NAMESPACE.svc.….
        var service = domain[(dot + 1)..].Split('.')[0];
        if (info.Namespace == domain[..dot])
            forms.Add(Absolute(info.Shortname));
        forms.Add(Absolute($"{info.Shortname}.{info.Namespace}"));
        forms.Add(Absolute($"{info.Shortname}.{info.Namespace}.{service}"));
        return forms;
    }

    private static string Absolute(string name) => name.ToLowerInvariant().TrimEnd('.') + ".";
}
