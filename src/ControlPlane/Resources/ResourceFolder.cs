using System.Collections.Immutable;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.ControlPlane.Resources;

/// <summary>
/// The folder that is served. Files directly in it are for every node; those in a folder named by a node's id are for
/// that node, and go before those for all. A file with a mistake leaves what it said before in place.
/// </summary>
internal sealed class ResourceFolder(string path, Action<string> log)
{
    private readonly string _path = Path.GetFullPath(path);
    private readonly Action<string> _log = log;

    private FolderContent _content = FolderContent.Empty;

    /// <summary>What is served now.</summary>
    public FolderContent Content => Volatile.Read(ref _content);

    /// <summary>Reads what changed. For one caller at a time.</summary>
    /// <returns>Whether anything is served differently now.</returns>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be read.</exception>
    public bool Reload()
    {
        var before = _content;
        var files = FolderContent.Empty.Files;
        foreach (var (name, folder) in Folders())
            files = files.SetItem(name, ReadFolder(folder, before.Files.GetValueOrDefault(name, [])));
        var after = new FolderContent(files);
        // Also when nothing is served differently: what was refused is remembered, so that it is said once.
        Volatile.Write(ref _content, after);
        return !after.ServesAs(before);
    }

    private IEnumerable<(string Name, string Folder)> Folders()
    {
        yield return (FolderContent.Everybody, _path);
        // Mounted ConfigMaps keep their versions in hidden folders, and our own authority is in one.
        foreach (var folder in Directory.EnumerateDirectories(_path))
        {
            if (!Path.GetFileName(folder.AsSpan()).StartsWith('.'))
                yield return (Path.GetFileName(folder), folder);
        }
    }

    private ImmutableArray<ResourceFile> ReadFolder(string folder, ImmutableArray<ResourceFile> before)
    {
        var files = ImmutableArray.CreateBuilder<ResourceFile>();
        try
        {
            foreach (var path in Directory.EnumerateFiles(folder).Where(ResourceFile.IsOne).Order(StringComparer.Ordinal))
            {
                if (Read(path, before.FirstOrDefault(file => file.Path == path)) is { } file)
                    files.Add(file);
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Removed while it was being read: what it said is over.
            return [];
        }
        return files.ToImmutable();
    }

    private ResourceFile? Read(string path, ResourceFile? before)
    {
        byte[] content;
        try
        {
            content = File.ReadAllBytes(path);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _log($"{path} cannot be read ({error.Message}); {Consequence(before)}.");
            return before;
        }
        var version = ServedResource.VersionOf(content);
        if (before?.ContentVersion == version)
            return before;
        try
        {
            return new ResourceFile(path, version, ResourceFile.Parse(path, content));
        }
        catch (ProtobufException refused)
        {
            _log($"{path} is not served: {refused.Message.TrimEnd('.')}; {Consequence(before)}.");
            return new ResourceFile(path, version, before?.Resources ?? []);
        }
    }

    private static string Consequence(ResourceFile? before) => before is { Resources.Count: > 0 }
        ? "what it said before is served on"
        : "nothing of it is served until it is corrected";
}
