using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Listeners;

/// <summary>Indices of the statistics under `listener_manager.`.</summary>
internal static class ListenerManagerStat
{
    public const int Added = 0;
    public const int Modified = 1;
    public const int Removed = 2;
    public const int CreateFailure = 3;
    public const int CreateSuccess = 4;
    public const int InPlaceUpdated = 5;
    public const int Stopped = 6;
    public const int TotalListenersWarming = 7;
    public const int TotalListenersActive = 8;
    public const int TotalListenersDraining = 9;
    public const int TotalFilterChainsDraining = 10;
    public const int WorkersStarted = 11;

    public static readonly StatBlockLayout Layout = new(
    [
        ("listener_added", StatKind.Counter),
        ("listener_modified", StatKind.Counter),
        ("listener_removed", StatKind.Counter),
        ("listener_create_failure", StatKind.Counter),
        ("listener_create_success", StatKind.Counter),
        ("listener_in_place_updated", StatKind.Counter),
        ("listener_stopped", StatKind.Counter),
        ("total_listeners_warming", StatKind.Gauge),
        ("total_listeners_active", StatKind.Gauge),
        ("total_listeners_draining", StatKind.Gauge),
        ("total_filter_chains_draining", StatKind.Gauge),
        ("workers_started", StatKind.Gauge),
    ]);
}
