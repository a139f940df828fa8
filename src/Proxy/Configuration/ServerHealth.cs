namespace MeshProxy.Proxy.Configuration;

/// <summary>Whether an operator failed the server's health by `POST /healthcheck/fail`.</summary>
public sealed class ServerHealth
{
    private volatile bool _failed;

    public bool Failed
    {
        get => _failed;
        set => _failed = value;
    }
}
