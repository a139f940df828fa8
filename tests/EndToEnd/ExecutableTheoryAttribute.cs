using Xunit;

namespace MeshProxy.EndToEnd;

/// <summary>Tests of the built proxy alone, without namespaces: MESHPROXY_EXECUTABLE names it.</summary>
public sealed class ExecutableTheoryAttribute : TheoryAttribute
{
    public ExecutableTheoryAttribute()
    {
        if (MeshFactAttribute.Executable.Length == 0) Skip = MeshFactAttribute.NoExecutable;
    }
}
