namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>stats_config.stats_matcher: which names are not to be shown.</summary>
public interface IStatsMatcher
{
    bool Rejects(string name);
}
