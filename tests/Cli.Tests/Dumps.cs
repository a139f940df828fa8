using System.IO.Compression;

namespace MeshProxy.Cli.Tests;

/// <summary>
/// The recorded dumps, unpacked once: what this proxy's /config_dump?include_eds showed of configuration captured from a real
/// istiod (tests/Captures/run.mjs --dumps), and the same as istioctl prints it.
/// </summary>
internal static class Dumps
{
    private static readonly Lazy<string> Unpacked = new(Unpack);

    /// <summary>A directory with NAME.json for each dump.</summary>
    public static string Directory => Unpacked.Value;

    /// <summary>The folder of a kind of test data in the source tree.</summary>
    public static string Source(string folder)
    {
        for (var place = new DirectoryInfo(AppContext.BaseDirectory); place is not null; place = place.Parent)
        {
            var candidate = Path.Combine(place.FullName, "tests/Cli.Tests", folder);
            if (System.IO.Directory.Exists(candidate))
            {
                return candidate;
            }
        }
        throw new DirectoryNotFoundException($"tests/Cli.Tests/{folder} is not above {AppContext.BaseDirectory}.");
    }

    private static string Unpack()
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("meshproxy-dumps-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => System.IO.Directory.Delete(directory, recursive: true);
        foreach (var file in System.IO.Directory.GetFiles(Source("Dumps")))
        {
            using var packed = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
            using var plain = File.Create(Path.Combine(directory, Path.GetFileNameWithoutExtension(file)));
            packed.CopyTo(plain);
        }
        return directory;
    }
}
