namespace MeshProxy.Proxy.Listeners;

/// <summary>Tells a connection whether to end itself at its next opportunity (HTTP/1 `connection: close`, HTTP/2 GOAWAY): the listener, its filter chain or the process drains.</summary>
public interface IDrainDecision
{
    /// <summary>Draws again at each call: with the gradual strategy the chance grows over the drain time.</summary>
    bool DrainClose { get; }
}
