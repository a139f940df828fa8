namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>Stats of a layout that are read from their owner when listed.</summary>
/// <param name="Tags">Tags of all of them, and what their names begin with without the tags; null finds them in the names.</param>
internal readonly record struct ObservedBlock(StatBlockLayout Layout, IStatSource Source, StatTags? Tags);
