using System.Text.Json.Nodes;
using MeshProxy.Interception.Host;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Cni;

/// <summary>
/// What ADD set up for one interface of a container, kept for CHECK, DEL and GC: the flags it used and the rules as
/// they were in force.
/// </summary>
internal sealed class AttachmentState(string directory)
{
    public sealed record Entry(
        IReadOnlyDictionary<string, string> Flags, IReadOnlyDictionary<string, string> Environment, string Rules)
    {
        public InterceptionSettings Settings() =>
            new SettingsReader(Flags.GetValueOrDefault, Environment.GetValueOrDefault).Read();
    }

    public void Save(string container, string interfaceName, Entry entry)
    {
        try
        {
            Directory.CreateDirectory(directory);
            AtomicFile.Write(PathOf(container, interfaceName), Json.Text(new JsonObject
            {
                ["flags"] = Map(entry.Flags),
                ["environment"] = Map(entry.Environment),
                ["rules"] = entry.Rules,
            }));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CniException(
                CniException.InputOutput, $"State cannot be kept in {directory}: {FailureReason.Of(e)}.");
        }
    }

    /// <summary>The entry, or null if there is none (the pod is not intercepted) or it cannot be read.</summary>
    public Entry? Load(string container, string interfaceName)
    {
        var path = PathOf(container, interfaceName);
        if (!File.Exists(path) || Json.TryParse(File.ReadAllText(path)) is not { } state)
            return null;
        return new Entry(
            Map(Json.Object(state, "flags")), Map(Json.Object(state, "environment")), Json.String(state, "rules") ?? "");
    }

    public void Remove(string container, string interfaceName) => File.Delete(PathOf(container, interfaceName));

    /// <summary>Removes the entries of attachments that are none of <paramref name="valid"/>.</summary>
    public void Keep(IEnumerable<(string Container, string Interface)> valid)
    {
        if (!Directory.Exists(directory))
            return;
        var kept = valid.Select(v => PathOf(v.Container, v.Interface)).ToHashSet();
        foreach (var path in Directory.EnumerateFiles(directory, "*.json"))
            if (!kept.Contains(path))
                File.Delete(path);
    }

    // Two letters that no container ID has keep the parts apart.
    private string PathOf(string container, string interfaceName) =>
        Path.Combine(directory, $"{container}@@{interfaceName}.json");

    private static JsonObject Map(IReadOnlyDictionary<string, string> values)
    {
        var map = new JsonObject();
        foreach (var (name, value) in values)
            map[name] = value;
        return map;
    }

    private static Dictionary<string, string> Map(JsonObject? map) =>
        (map ?? []).ToDictionary(pair => pair.Key, pair => Json.String(map, pair.Key) ?? "");
}
