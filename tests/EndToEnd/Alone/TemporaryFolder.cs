namespace MeshProxy.EndToEnd.Alone;

/// <summary>A folder that lives as long as a test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("test-");

    public string Path => _folder.FullName;

    /// <summary>The path of a file in it.</summary>
    public string In(string file) => System.IO.Path.Combine(Path, file);

    /// <summary>Replaces a file as a control plane on disk has to: by renaming.</summary>
    public string Put(string file, string text)
    {
        File.WriteAllText(In(file) + ".new", text);
        File.Move(In(file) + ".new", In(file), overwrite: true);
        return In(file);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
