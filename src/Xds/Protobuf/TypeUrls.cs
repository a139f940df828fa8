namespace MeshProxy.Xds.Protobuf;

/// <summary>
/// One string object for each type URL of the interfaces: a push of ten thousand clusters repeats the same few.
/// </summary>
internal static class TypeUrls
{
    private const int MaximumLength = 192;

    private static ReadOnlySpan<byte> Prefix => "type.googleapis.com/"u8;

    /// <summary>The shared string of a URL of a known type, or null.</summary>
    public static string? Intern(ReadOnlySpan<byte> url)
    {
        if (url.Length > MaximumLength || !url.StartsWith(Prefix))
        {
            return null;
        }

        return SchemaRegistry.Find(url[Prefix.Length..])?.TypeUrl;
    }
}
