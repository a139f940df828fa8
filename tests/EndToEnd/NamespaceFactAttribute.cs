using MeshProxy.Demo.Network;
using Xunit;

namespace MeshProxy.EndToEnd;

/// <summary>A test that makes network namespaces; skipped, with the reason, where that is not possible.</summary>
public class NamespaceFactAttribute : FactAttribute
{
    public NamespaceFactAttribute()
    {
        if (!Namespaces.Possible) Skip = Namespaces.Reason;
    }

    // Asked once: the answer takes a trial, and there is an attribute per test.
    private static readonly (bool Possible, string Reason) Namespaces =
        (Fabric.Possible(out var reason), reason);
}
