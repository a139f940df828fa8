namespace MeshProxy.Proxy.Listeners;

/// <summary>What logs, filters and traces need of the listener a connection came through.</summary>
/// <param name="Direction">core.v3.TrafficDirection: 0 unspecified, 1 inbound, 2 outbound.</param>
/// <param name="Metadata">Static metadata of the listener.</param>
public sealed record ListenerFacts(string Name, int Direction, Observability.DynamicMetadata Metadata);
