namespace MeshProxy.Cli.Views;

/// <summary>istiod's names of clusters, `outbound|9080|v1|reviews.default.svc.cluster.local`; others are hosts alone.</summary>
internal sealed record ClusterName(string Direction, string Port, string Subset, string Host)
{
    public static ClusterName Parse(string name) => name.Split('|') is [var direction, var port, var subset, var host]
        ? new ClusterName(direction, port, subset, host)
        : new ClusterName("", "", "", name);

    /// <param name="direction">`inbound` or `outbound`; null fits all, as do the others.</param>
    public bool Fits(string? host, string? port, string? direction, string? subset) =>
        (host is null || Host == host) && (port is null || Port == port)
        && (subset is null || Subset == subset)
        && (direction is null || Direction.Equals(direction, StringComparison.OrdinalIgnoreCase));
}
