namespace MeshProxy.Demo.Network;

/// <summary>
/// A command of the system, or the proxy itself, did not do what was asked; the message holds what it said.
/// </summary>
public sealed class CommandFailedException(string message) : Exception(message);
