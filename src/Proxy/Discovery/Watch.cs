namespace MeshProxy.Proxy.Discovery;

/// <summary>The names of a type that one subscriber wants; none is all of them.</summary>
internal sealed class Watch(string typeUrl, IReadOnlyCollection<string> names, IWatchTarget target, Mux owner) : IDisposable
{
    public string TypeUrl => typeUrl;

    public IReadOnlyCollection<string> Names { get; private set; } = names;

    public bool IsWildcard => Names.Count == 0;

    public IWatchTarget Target => target;

    public bool Ended { get; private set; }

    public bool Wants(DecodedResource resource) => IsWildcard || Names.Contains(resource.Name) || resource.Aliases.Any(Names.Contains);

    public void Update(IReadOnlyCollection<string> names)
    {
        var before = Names;
        Names = names;
        owner.OnNamesChanged(this, before);
    }

    public void Dispose()
    {
        if (!Ended)
        {
            Ended = true;
            owner.Remove(this);
        }
    }
}
