namespace MeshProxy.Interception.Rules;

/// <summary>What a rule does with a packet that meets its conditions.</summary>
public abstract record Target
{
    private Target()
    {
    }

    public sealed record Jump(string Chain) : Target;

    public sealed record Return : Target;

    public sealed record Accept : Target;

    public sealed record Drop : Target;

    public sealed record Redirect(int Port) : Target;

    /// <summary>Deliver to a transparent socket on this port, addresses unchanged, and mark the packet.</summary>
    public sealed record TransparentProxy(int Port, uint Mark) : Target;

    public sealed record SetMark(uint Mark) : Target;

    /// <summary>Copy the packet's mark to its connection.</summary>
    public sealed record SaveMark : Target;

    /// <summary>Copy the connection's mark to the packet.</summary>
    public sealed record RestoreMark : Target;

    public sealed record Zone(int Number) : Target;
}
