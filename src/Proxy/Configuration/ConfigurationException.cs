namespace MeshProxy.Proxy.Configuration;

/// <summary>A configuration is refused: one sentence with the path of the field, what was refused, by what rule, what to do. Becomes a NACK, or exit 1 at start.</summary>
public sealed class ConfigurationException(string message, Exception? inner = null) : Exception(message, inner);
