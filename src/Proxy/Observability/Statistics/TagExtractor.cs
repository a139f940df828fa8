namespace MeshProxy.Proxy.Observability.Statistics;

/// <summary>Finds one tag in a stat's name.</summary>
public abstract class TagExtractor(string tagName)
{
    public string TagName => tagName;

    /// <summary>First token of the names it can match; empty when it must look at all.</summary>
    public abstract string FirstToken { get; }

    /// <summary>The tag's value, and the part of the name that is removed with it.</summary>
    public abstract bool TryExtract(string name, out string value, out Range removed);
}
