namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>Of clusters without outlier_detection.</summary>
internal sealed class NoOutlierMonitor : IOutlierMonitor
{
    public static readonly NoOutlierMonitor Instance = new();

    public int NumEjections => 0;

    public bool Ejected => false;

    public void PutHttpResponseCode(int code)
    {
    }

    public void PutResult(OutlierResult result, int code = 0)
    {
    }

    public void PutResponseTime(TimeSpan time)
    {
    }
}
