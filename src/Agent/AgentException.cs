namespace MeshProxy.Agent;

/// <summary>The agent cannot run as it was told: one sentence with what to change.</summary>
public sealed class AgentException(string message, Exception? cause = null) : Exception(message, cause);
