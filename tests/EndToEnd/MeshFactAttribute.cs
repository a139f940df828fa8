namespace MeshProxy.EndToEnd;

/// <summary>A test that runs a mesh with the built proxy: MESHPROXY_EXECUTABLE names it, as ./mesh test does.</summary>
public sealed class MeshFactAttribute : NamespaceFactAttribute
{
    /// <summary>Why a test that needs the proxy does not run.</summary>
    public const string NoExecutable = "MESHPROXY_EXECUTABLE does not name a proxy: run ./mesh test";

    public MeshFactAttribute()
    {
        if (Executable.Length == 0) Skip ??= NoExecutable;
    }

    /// <summary>The path of the proxy; empty when none was given.</summary>
    public static string Executable { get; } = Environment.GetEnvironmentVariable("MESHPROXY_EXECUTABLE") ?? "";
}
