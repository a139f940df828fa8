namespace MeshProxy.Interception.Cni;

/// <summary>Replaces files whole: readers see the old or the new content, also after a crash.</summary>
internal static class AtomicFile
{
    // Neither .conf nor .conflist nor .json: nobody takes a half-written file for a configuration.
    private const string Temporary = ".meshproxy-tmp";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <param name="path">The file; one that exists keeps its mode.</param>
    /// <param name="text">Its new content.</param>
    /// <param name="mode">Mode of a new file.</param>
    public static void Write(string path, string text, UnixFileMode mode = OwnerOnly) =>
        Replace(
            path, File.Exists(path) ? File.GetUnixFileMode(path) : mode,
            stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    public static void Copy(string source, string path, UnixFileMode mode) => Replace(path, mode, stream =>
    {
        using var from = File.OpenRead(source);
        from.CopyTo(stream);
    });

    /// <summary>Removes what an interrupted replacement of the file left.</summary>
    public static void RemoveLeftovers(string path) => File.Delete(path + Temporary);

    private static void Replace(string path, UnixFileMode mode, Action<FileStream> fill)
    {
        var temporary = path + Temporary;
        File.Delete(temporary);
        using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
        {
            File.SetUnixFileMode(temporary, mode);
            fill(stream);
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }
}
