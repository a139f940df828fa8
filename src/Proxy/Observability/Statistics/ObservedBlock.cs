namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>Gauges of a layout that are read from their owner when listed.</summary>
internal readonly record struct ObservedBlock(StatBlockLayout Layout, IStatSource Source);
