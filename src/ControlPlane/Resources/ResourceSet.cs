namespace MeshProxy.ControlPlane.Resources;

/// <summary>The resources of one type that a node gets, in the order of their files. Immutable.</summary>
internal sealed class ResourceSet
{
    private readonly ServedResource[] _all;
    private readonly Dictionary<string, ServedResource> _byName;

    /// <param name="resources">Of those with the same name the last counts.</param>
    public ResourceSet(IEnumerable<ServedResource> resources)
    {
        _byName = new Dictionary<string, ServedResource>(StringComparer.Ordinal);
        foreach (var resource in resources)
            _byName[resource.Name] = resource;
        _all = [.. _byName.Values];
    }

    public static ResourceSet Empty { get; } = new([]);

    public IReadOnlyList<ServedResource> All => _all;

    public ServedResource? Find(string name) => _byName.GetValueOrDefault(name);
}
