using System.Runtime.CompilerServices;

namespace MeshProxy.Xds.Tests;

/// <summary>Places in the repository the tests read from.</summary>
internal static class Repository
{
    public static string Root { get; } = Path.GetFullPath(Path.Combine(ThisDirectory(), "..", ".."));

    public static string Xds => Path.Combine(Root, "src", "Xds");

    public static string Captures => Path.Combine(Root, "tests", "Istiod", "captured");

    public static string Agents => Path.Combine(Root, "tests", "Istiod", "agent");

    public static string RecordedCases => Path.Combine(Root, "tests", "Conformance", "recorded");

    private static string ThisDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
