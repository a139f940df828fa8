namespace MeshProxy.Xds.Validation;

/// <summary>A field that breaks a rule of its interface.</summary>
/// <param name="Path">Such as <c>static_resources.clusters[0].name</c>; empty for the message itself.</param>
/// <param name="Rule">What is demanded, as the rest of a sentence.</param>
public readonly record struct Violation(string Path, string Rule)
{
    public override string ToString() => Path.Length == 0 ? Rule : $"{Path}: {Rule}";
}
