namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>Values that labels have by themselves.</summary>
internal static class IstioLabels
{
    public const string Unknown = "unknown";

    /// <summary>A peer's revision when it told none.</summary>
    public const string Latest = "latest";

    public static string OrUnknown(string? value) => string.IsNullOrEmpty(value) ? Unknown : value;

    public static string OrLatest(string? value) => string.IsNullOrEmpty(value) ? Latest : value;

    /// <summary>The namespace in `…/ns/NAMESPACE/sa/…`; empty when there is none.</summary>
    public static string NamespaceOf(string principal)
    {
        const string Marker = "/ns/";
        var begin = principal.IndexOf(Marker, StringComparison.Ordinal);
        if (begin < 0)
        {
            return "";
        }
        var rest = principal.AsSpan(begin + Marker.Length);
        var end = rest.IndexOf('/');
        return (end < 0 ? rest : rest[..end]).ToString();
    }
}
