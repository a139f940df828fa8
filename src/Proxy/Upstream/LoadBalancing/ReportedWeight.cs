namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>Weight that a host reported of itself (ORCA), with the times that bound its use; loop milliseconds.</summary>
/// <param name="FirstReport">Start of the blackout period.</param>
/// <param name="LastReport">Start of the expiration period.</param>
internal sealed record ReportedWeight(double Weight, long FirstReport, long LastReport);
