namespace MeshProxy.Bench.Load;

/// <summary>Something a person has to put right before the benchmark can run; the message says what.</summary>
internal sealed class BenchException(string message) : Exception(message);
