namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>Why a host is ejected (data.cluster.v3.OutlierEjectionType).</summary>
internal enum EjectionType
{
    Consecutive5xx,
    ConsecutiveGatewayFailure,
    SuccessRate,
    ConsecutiveLocalOriginFailure,
    SuccessRateLocalOrigin,
    FailurePercentage,
    FailurePercentageLocalOrigin,
}
