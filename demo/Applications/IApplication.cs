namespace MeshProxy.Demo.Applications;

/// <summary>
/// Something that serves in a pod, behind its sidecar. Disposing closes its port and resets its connections.
/// </summary>
public interface IApplication : IAsyncDisposable;
