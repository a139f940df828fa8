namespace MeshProxy.Proxy.Discovery;

/// <summary>Nothing was held back.</summary>
internal sealed class NoPause : IDisposable
{
    public static readonly NoPause Instance = new();

    public void Dispose()
    {
    }
}
