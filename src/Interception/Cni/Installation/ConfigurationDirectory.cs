using System.Text.Json.Nodes;
using MeshProxy.Interception.Host;

namespace MeshProxy.Interception.Cni.Installation;

/// <summary>
/// The node's directory of network configurations. Runtimes use the first valid file in order of names; what others
/// write there, and when, is up to them, so this is looked at again on every change.
/// </summary>
internal sealed class ConfigurationDirectory(string path, string fileName)
{
    // libcni reads these; .json is read as a single plugin.
    private static readonly string[] Extensions = [".conf", ".conflist", ".json"];

    /// <summary>A single plugin's file, kept while a list stands for it.</summary>
    private const string SavedSuffix = ".meshproxy-saved";

    /// <summary>The file in use and its content, or null while there is none.</summary>
    public (string Path, JsonObject Config)? Primary()
    {
        if (fileName.Length > 0)
            return Named();
        foreach (var file in Files())
            if (Read(file) is { } config)
                return (file, config);
        return null;
    }

    public bool IsInserted(JsonObject own) => Primary() is var (_, config) && ChainedPlugin.IsInserted(config, own);

    /// <summary>Puts our plugin into the file in use. False while there is none.</summary>
    public bool Insert(JsonObject own)
    {
        if (Primary() is not var (file, config))
            return false;
        var list = Json.Text(ChainedPlugin.Insert(config, own));
        if (ChainedPlugin.IsList(config))
        {
            AtomicFile.Write(file, list);
            return true;
        }
        // A list needs its extension, and the single plugin's file sorts before it: it makes way, after the list is
        // there.
        AtomicFile.Write(ListFor(file), list, File.GetUnixFileMode(file));
        File.Move(file, file + SavedSuffix, overwrite: true);
        return true;
    }

    /// <summary>Takes our plugin out of every file, and puts single plugins' files back.</summary>
    public void Remove()
    {
        foreach (var saved in Directory.Exists(path) ? Directory.GetFiles(path, "*" + SavedSuffix) : [])
        {
            var file = saved[..^SavedSuffix.Length];
            // Its owner may have written it again in the meantime.
            if (File.Exists(file))
                File.Delete(saved);
            else
                File.Move(saved, file);
            File.Delete(ListFor(file));
        }
        foreach (var file in Files())
        {
            if (Read(file) is not { } config || !ChainedPlugin.Contains(config))
                continue;
            AtomicFile.Write(file, Json.Text(ChainedPlugin.Remove(config)));
        }
    }

    private (string, JsonObject)? Named()
    {
        var file = Path.Combine(path, fileName);
        var extension = Path.GetExtension(file);
        // The owner may write the one kind, and somebody who chains a plugin makes the other of it.
        var other = Path.ChangeExtension(file, extension == ".conf" ? ".conflist" : ".conf");
        foreach (var candidate in new[] { file, other })
            if (Read(candidate) is { } config)
                return (candidate, config);
        return null;
    }

    private IEnumerable<string> Files() => Directory.Exists(path)
        ? Directory.EnumerateFiles(path)
            .Where(f => Extensions.Contains(Path.GetExtension(f)))
            .Order(StringComparer.Ordinal)
        : [];

    private static JsonObject? Read(string file)
    {
        try
        {
            return ChainedPlugin.TryRead(File.ReadAllText(file));
        }
        catch (IOException)
        {
            // It went away between being listed and being read.
            return null;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new InterceptionException($"The network configuration {file} cannot be read: {FailureReason.Of(e)}.");
        }
    }

    // Both names sort where the single plugin's file was; the second is for when somebody has a list of the first name.
    private static string ListFor(string file)
    {
        var list = Path.ChangeExtension(file, ".conflist");
        var foreign = File.Exists(list) && Read(list) is { } config && !ChainedPlugin.Contains(config);
        return foreign ? file + ".conflist" : list;
    }
}
