namespace MeshProxy.Proxy.Observability.Statistics.Sinks;

/// <summary>Sends statistics somewhere (Envoy's Stats::Sink).</summary>
internal interface IStatsSink
{
    /// <summary>What stands at a flush; on the main loop.</summary>
    void Flush(StatsSnapshot snapshot);

    /// <summary>Each sample of a histogram, on the loop that recorded it.</summary>
    void OnSample(StoreHistogram histogram, ulong sample)
    {
    }
}
