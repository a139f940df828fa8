namespace MeshProxy.Proxy.Http;

/// <summary>A header that a service names; nothing is known of its validity.</summary>
internal readonly record struct UnsafeHeader(string Name, string Value)
{
    /// <summary>Adds it as a line of its own, as with Set-Cookie; what would break the message is left out.</summary>
    public void AddTo(HeaderMap headers)
    {
        var (name, value) = (HeaderText.Name(Name), HeaderText.Value(Value));
        if (HeaderText.IsName(name) && HeaderText.IsValue(value))
        {
            HeaderUtility.Append(headers, KnownHeaders.Find(name), name, value);
        }
    }
}
