namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>Active checks of one cluster's hosts; on the main loop.</summary>
internal interface IHealthChecker : IDisposable
{
    /// <summary>Begins checking; <paramref name="onFirstRound"/> runs once each host had one check.</summary>
    void Start(Action onFirstRound);

    void OnHostsChanged(HostSetChange change);
}
