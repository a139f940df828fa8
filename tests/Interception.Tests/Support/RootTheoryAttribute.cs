using Xunit;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>A theory that makes network namespaces and programs them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootTheoryAttribute : TheoryAttribute
{
    public RootTheoryAttribute() => Skip = Requirements.Missing;
}
