namespace MeshProxy.ControlPlane;

/// <summary>The control plane cannot run as it was told: one sentence with what to change.</summary>
public sealed class ControlPlaneException(string message, Exception? cause = null) : Exception(message, cause);
