namespace MeshProxy.Xds.Bootstrap;

/// <summary>A command line that cannot be followed: one sentence, for a process that ends with code 1.</summary>
public sealed class OptionsException(string message) : Exception(message);
