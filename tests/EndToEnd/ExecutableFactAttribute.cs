using Xunit;

namespace MeshProxy.EndToEnd;

/// <summary>A test of the built proxy alone, without namespaces: MESHPROXY_EXECUTABLE names it.</summary>
public sealed class ExecutableFactAttribute : FactAttribute
{
    public ExecutableFactAttribute()
    {
        if (MeshFactAttribute.Executable.Length == 0) Skip = MeshFactAttribute.NoExecutable;
    }
}
