using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace MeshProxy.ControlPlane.Resources;

/// <summary>What a folder said at one time, and what each node gets of it. Never changes.</summary>
internal sealed class FolderContent(ImmutableDictionary<string, ImmutableArray<ResourceFile>> files)
{
    /// <summary>The name under which the files for every node are kept: no folder's.</summary>
    public const string Everybody = "";

    private readonly ConcurrentDictionary<(string Node, string Type), ResourceSet> _sets = new();

    public static FolderContent Empty { get; } =
        new(ImmutableDictionary.Create<string, ImmutableArray<ResourceFile>>(StringComparer.Ordinal));

    /// <summary>Files by the folder they are in.</summary>
    public ImmutableDictionary<string, ImmutableArray<ResourceFile>> Files { get; } = files;

    /// <summary>What a node gets of a type: its own resources go before those for all.</summary>
    public ResourceSet Resources(string node, string typeUrl) =>
        _sets.GetOrAdd((Files.ContainsKey(node) ? node : Everybody, typeUrl), static (key, content) => content.Make(key), this);

    /// <summary>Whether both serve the same.</summary>
    public bool ServesAs(FolderContent other) =>
        Files.Count == other.Files.Count && Files.All(folder =>
            other.Files.TryGetValue(folder.Key, out var files)
            && files.Select(file => file.Resources).SequenceEqual(folder.Value.Select(file => file.Resources)));

    private ResourceSet Make((string Node, string Type) key)
    {
        var own = key.Node == Everybody ? [] : Files.GetValueOrDefault(key.Node, []);
        return new ResourceSet(Files.GetValueOrDefault(Everybody, [])
            .Concat(own)
            .SelectMany(file => file.Resources)
            .Where(resource => resource.Body.TypeUrl == key.Type));
    }
}
