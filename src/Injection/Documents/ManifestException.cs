namespace MeshProxy.Injection.Documents;

/// <summary>Input that is refused. The message is one sentence for a person: what, by which rule, what to do.</summary>
public sealed class ManifestException : Exception
{
    public ManifestException(string message)
        : base(message)
    {
    }

    public ManifestException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
