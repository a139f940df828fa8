namespace MeshProxy.Agent.Status;

/// <summary>Where an application shows its metrics, on the loopback interface.</summary>
internal readonly record struct MetricsTarget(int Port, string Path);
