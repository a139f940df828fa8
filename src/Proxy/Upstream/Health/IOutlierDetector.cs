namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>Ejects the hosts of one cluster that traffic shows to be failing; on the main loop.</summary>
internal interface IOutlierDetector : IDisposable
{
    void OnHostsChanged(HostSetChange change);
}
