namespace MeshProxy.Proxy.Transport;

/// <summary>A timer of one loop; armed again it moves. Resolution 1 ms. Cheap to arm and disarm per request (timer wheel).</summary>
public sealed class LoopTimer
{
    internal LoopTimer()
    {
    }

    public bool IsArmed => throw new NotSupportedException();

    /// <summary>Fires once after <paramref name="delay"/>; zero fires in the next turn.</summary>
    public void Arm(TimeSpan delay) => throw new NotSupportedException();

    public void Disarm() => throw new NotSupportedException();
}
