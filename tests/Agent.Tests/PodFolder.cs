using System.Text.Json.Nodes;

namespace MeshProxy.Agent.Tests;

/// <summary>A pod's file system: the working directory while it lives.</summary>
internal sealed class PodFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("pod");
    private readonly string _before = Environment.CurrentDirectory;

    public PodFolder() => Environment.CurrentDirectory = _folder.FullName;

    public string Path => _folder.FullName;

    /// <summary>Writes a file below the folder.</summary>
    public void Write(string path, string text)
    {
        var file = System.IO.Path.Combine(Path, path);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    /// <summary>Writes what the downward API would of these labels or annotations.</summary>
    public void WritePodInfo(string name, JsonObject? values) =>
        Write("etc/istio/pod/" + name, string.Join('\n', (values ?? []).Select(v => $"{v.Key}={v.Value!.ToJsonString()}")));

    public void Dispose()
    {
        Environment.CurrentDirectory = _before;
        _folder.Delete(recursive: true);
    }
}
