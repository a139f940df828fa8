using Xunit;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>A test that makes network namespaces and programs them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute() => Skip = Requirements.Missing;
}
