namespace MeshProxy.Proxy.Http;

/// <summary>Spells header names when HTTP/1 writes them (Envoy's HeaderKeyFormatter). A name's length never changes.</summary>
internal abstract class HeaderKeyFormatter
{
    /// <summary>Writes the spelling of <paramref name="name"/> (lower case) to the start of <paramref name="destination"/>.</summary>
    public abstract void Format(ReadOnlySpan<byte> name, Span<byte> destination);

    /// <summary>The reason phrase to write; empty for the standard one.</summary>
    public virtual ReadOnlySpan<byte> ReasonPhrase => default;
}
