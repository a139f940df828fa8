namespace MeshProxy.Proxy.Http.Codec;

/// <summary>Between HTTP/1 upgrades and HTTP/2 extended CONNECT (RFC 8441), as Envoy's Http::Utility does. The proxy's inside knows the HTTP/1 form only.</summary>
internal static class UpgradeTranslation
{
    public static bool IsHttp2Upgrade(HeaderMap request) =>
        request.Contains(KnownHeader.Protocol) && request.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8);

    public static void RequestToHttp1(HeaderMap request)
    {
        request.Set(KnownHeader.Method, "GET"u8);
        request.Set(KnownHeader.Upgrade, request.Get(KnownHeader.Protocol));
        request.Set(KnownHeader.Connection, "upgrade"u8);
        request.Remove(KnownHeader.Protocol);
    }

    public static void RequestToHttp2(HeaderMap request)
    {
        request.Set(KnownHeader.Method, "CONNECT"u8);
        request.Set(KnownHeader.Protocol, request.Get(KnownHeader.Upgrade));
        RemoveUpgrade(request);
    }

    /// <summary>A plain CONNECT has neither scheme nor path in HTTP/2 (RFC 9113 8.5).</summary>
    public static void ConnectToHttp2(HeaderMap request)
    {
        request.Remove(KnownHeader.Scheme);
        request.Remove(KnownHeader.Path);
        request.Remove(KnownHeader.Protocol);
    }

    public static void ResponseToHttp2(HeaderMap response)
    {
        if (response.Get(KnownHeader.Status).SequenceEqual("101"u8))
        {
            response.Set(KnownHeader.Status, "200"u8);
        }
        RemoveUpgrade(response);
    }

    public static void ResponseToHttp1(HeaderMap response, ReadOnlySpan<byte> upgrade)
    {
        if (response.Get(KnownHeader.Status).SequenceEqual("200"u8))
        {
            response.Set(KnownHeader.Status, "101"u8);
            response.Set(KnownHeader.Upgrade, upgrade);
            response.Set(KnownHeader.Connection, "upgrade"u8);
        }
    }

    private static void RemoveUpgrade(HeaderMap headers)
    {
        headers.Remove(KnownHeader.Upgrade);
        headers.Remove(KnownHeader.Connection);
        if (headers.Get(KnownHeader.ContentLength).SequenceEqual("0"u8))
        {
            headers.Remove(KnownHeader.ContentLength);
        }
    }
}
