namespace MeshProxy.EndToEnd;

/// <summary>A test that runs a mesh with the built proxy: MESHPROXY_EXECUTABLE names it, as ./mesh test does.</summary>
public sealed class MeshFactAttribute : NamespaceFactAttribute
{
    public MeshFactAttribute()
    {
        if (Executable.Length == 0) Skip ??= "MESHPROXY_EXECUTABLE does not name a proxy: run ./mesh test";
    }

    /// <summary>The path of the proxy; empty when none was given.</summary>
    public static string Executable { get; } = Environment.GetEnvironmentVariable("MESHPROXY_EXECUTABLE") ?? "";
}
