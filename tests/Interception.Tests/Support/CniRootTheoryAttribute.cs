using Xunit;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>A theory that chains our plugin after the reference plugins.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CniRootTheoryAttribute : TheoryAttribute
{
    public CniRootTheoryAttribute() => Skip = new CniRootFactAttribute().Skip;
}
