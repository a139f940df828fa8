using System.Net;
using System.Text;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>
/// Makes a request's headers trustworthy before anyone routes by them: hop-by-hop headers, the client's address, the scheme,
/// internal or external, request id, client certificate (Envoy's mutateRequestHeaders; http-semantics 10).
/// </summary>
internal sealed class RequestHeaderSanitizer(HttpConnectionManagerConfig config)
{
    /// <summary>Removed from external requests: only the mesh itself may steer retries, time-outs and traces.</summary>
    private static readonly KnownHeader[] InternalOnly =
    [
        KnownHeader.EnvoyRetriableStatusCodes, KnownHeader.EnvoyRetriableHeaderNames, KnownHeader.EnvoyRetryOn,
        KnownHeader.EnvoyRetryGrpcOn, KnownHeader.EnvoyMaxRetries, KnownHeader.EnvoyUpstreamAltStatName,
        KnownHeader.EnvoyUpstreamRequestTimeoutMs, KnownHeader.EnvoyUpstreamRequestPerTryTimeoutMs,
        KnownHeader.EnvoyExpectedRqTimeoutMs, KnownHeader.EnvoyForceTrace, KnownHeader.EnvoyIpTags,
        KnownHeader.EnvoyOriginalUrl, KnownHeader.EnvoyHedgeOnPerTryTimeout, KnownHeader.EnvoyUpstreamStreamDurationMs,
    ];

    private static readonly KnownHeader[] NotFromEdge =
    [
        KnownHeader.EnvoyDecoratorOperation, KnownHeader.EnvoyDownstreamServiceCluster,
        KnownHeader.EnvoyDownstreamServiceNode, KnownHeader.EnvoyOriginalPath, KnownHeader.EnvoyOriginalHost,
    ];

    /// <summary>What the connection's peer proved to be.</summary>
    /// <param name="Remote">The trusted client address.</param>
    /// <param name="RejectStatus">Not 0: answer with it, an IP detection extension refused.</param>
    public readonly record struct Outcome(EndPoint Remote, int RejectStatus);

    public Outcome Sanitize(HeaderMap headers, Connection connection, RouteTable? routes)
    {
        RemoveHopByHop(headers);
        RemoveBadReferer(headers);
        var peer = connection.Info.RemoteAddress;
        var client = FindClient(headers, connection, peer, out var trusted, out var reject);
        if (reject != 0)
        {
            return new Outcome(peer, reject);
        }
        SetScheme(headers, connection);
        var isInternal = trusted && config.InternalAddresses is { } addresses && addresses.Contains(client);
        var isEdge = !isInternal && config.UseRemoteAddress;
        if (isInternal)
        {
            headers.Set(KnownHeader.EnvoyInternalRequest, "true"u8);
        }
        else
        {
            RemoveInternalOnly(headers, isEdge, routes);
        }
        AddOwn(headers, isEdge, client);
        config.ClientCertificates.Mutate(headers, connection.Tls);
        return new Outcome(client, 0);
    }

    private static void RemoveHopByHop(HeaderMap headers)
    {
        if (!HeaderTokens.IsUpgrade(headers))
        {
            headers.Remove(KnownHeader.Connection);
            headers.Remove(KnownHeader.Upgrade);
            SanitizeTe(headers);
        }
        headers.Remove(KnownHeader.EnvoyInternalRequest);
        headers.Remove(KnownHeader.KeepAlive);
        headers.Remove(KnownHeader.ProxyConnection);
        headers.Remove(KnownHeader.TransferEncoding);
    }

    // Only `trailers`, spelled exactly, may go to the next hop (RFC 9113 8.2.2).
    private static void SanitizeTe(HeaderMap headers)
    {
        if (!headers.TryGet(KnownHeader.Te, out var te) || te.IsEmpty)
        {
            return;
        }
        while (HeaderTokens.Next(ref te, out var part))
        {
            if (part.SequenceEqual("trailers"u8))
            {
                headers.Set(KnownHeader.Te, "trailers"u8);
                return;
            }
        }
        headers.Remove(KnownHeader.Te);
    }

    private static void RemoveBadReferer(HeaderMap headers)
    {
        if (headers.TryGet(KnownHeader.Referer, out var referer) && !IsValidReferer(referer))
        {
            headers.Remove(KnownHeader.Referer);
        }
    }

    // RFC 9110 10.1.3: neither fragment nor user information.
    private static bool IsValidReferer(ReadOnlySpan<byte> referer)
    {
        var scheme = referer.IndexOf((byte)':');
        if (scheme <= 0 || !IsScheme(referer[..scheme]))
        {
            return true;
        }
        var rest = referer[(scheme + 1)..];
        if (!rest.StartsWith("//"u8) || rest.Contains((byte)'#'))
        {
            return false;
        }
        rest = rest[2..];
        var end = rest.IndexOfAny("/?"u8);
        var authority = end < 0 ? rest : rest[..end];
        return !authority.IsEmpty && !authority.Contains((byte)'@');
    }

    private static bool IsScheme(ReadOnlySpan<byte> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit((char)c) && c is not ((byte)'+' or (byte)'-' or (byte)'.'))
            {
                return false;
            }
        }
        return char.IsAsciiLetter((char)text[0]);
    }

    private EndPoint FindClient(HeaderMap headers, Connection connection, EndPoint peer, out bool trusted, out int reject)
    {
        reject = 0;
        if (config.UseRemoteAddress)
        {
            return FindClientAtEdge(headers, connection, peer, out trusted);
        }
        trusted = false;
        var client = peer;
        var append = false;
        foreach (var detection in config.IpDetections)
        {
            var detected = detection.Detect(headers, peer);
            if (detected.RejectStatus != 0)
            {
                reject = detected.RejectStatus;
                return peer;
            }
            append = !detected.SkipXffAppend;
            if (detected.Address is { } address)
            {
                client = new IPEndPoint(address, 0);
                trusted = detected.Trusted;
                break;
            }
        }
        if (append)
        {
            AppendPeer(headers, peer);
        }
        return client;
    }

    private EndPoint FindClientAtEdge(HeaderMap headers, Connection connection, EndPoint peer, out bool trusted)
    {
        trusted = !headers.Contains(KnownHeader.XForwardedFor);
        var client = peer;
        if (config.XffTrustedHops > 0 && ForwardedFor.FromRight(headers, config.XffTrustedHops - 1, out _) is { } address)
        {
            client = new IPEndPoint(address, 0);
        }
        if (!config.SkipXffAppend)
        {
            AppendPeer(headers, peer);
        }
        // Only a trusted proxy in front may say how its client came.
        if (config.XffTrustedHops == 0 || !headers.Contains(KnownHeader.XForwardedProto))
        {
            headers.Set(KnownHeader.XForwardedProto, ConnectionScheme(connection));
        }
        if (config.AppendForwardedPort && (config.XffTrustedHops == 0 || !headers.Contains(KnownHeader.XForwardedPort)))
        {
            SetForwardedPort(headers, connection);
        }
        return client;
    }

    private void AppendPeer(HeaderMap headers, EndPoint peer)
    {
        if (peer is IPEndPoint ip)
        {
            var own = ip.Address.Equals(IPAddress.Loopback) || ip.Address.Equals(IPAddress.IPv6Loopback);
            ForwardedFor.Append(headers, own ? config.LocalAddress : ip.Address);
        }
    }

    private void SetScheme(HeaderMap headers, Connection connection)
    {
        if (!headers.Contains(KnownHeader.XForwardedProto))
        {
            headers.Set(KnownHeader.XForwardedProto, ConnectionScheme(connection));
        }
        if (config.AppendForwardedPort && !headers.Contains(KnownHeader.XForwardedPort))
        {
            SetForwardedPort(headers, connection);
        }
        if (!headers.Contains(KnownHeader.Scheme))
        {
            var forwarded = headers.Get(KnownHeader.XForwardedProto);
            var valid = Ascii.EqualsIgnoreCase(forwarded, "http"u8) || Ascii.EqualsIgnoreCase(forwarded, "https"u8);
            headers.Set(KnownHeader.Scheme, valid ? forwarded : TlsScheme(connection));
        }
        LowerScheme(headers);
        if (config.SchemeToOverwrite.Length > 0)
        {
            headers.Set(KnownHeader.Scheme, config.SchemeToOverwrite);
            headers.Set(KnownHeader.XForwardedProto, config.SchemeToOverwrite);
        }
    }

    private static void LowerScheme(HeaderMap headers)
    {
        var scheme = headers.Get(KnownHeader.Scheme);
        Span<byte> lower = stackalloc byte[16];
        if (scheme.Length <= lower.Length && Ascii.ToLower(scheme, lower, out var length) == System.Buffers.OperationStatus.Done
            && !scheme.SequenceEqual(lower[..length]))
        {
            headers.Set(KnownHeader.Scheme, lower[..length]);
        }
    }

    private static void SetForwardedPort(HeaderMap headers, Connection connection)
    {
        if (connection.Info.LocalAddress is IPEndPoint local)
        {
            headers.Set(KnownHeader.XForwardedPort, local.Port);
        }
    }

    // forward_proto_config: a proxied connection's original port tells how the client came.
    private ReadOnlySpan<byte> ConnectionScheme(Connection connection)
    {
        if (config.HttpsPorts.Count + config.HttpPorts.Count > 0 && connection.Info.LocalAddressRestored
            && connection.Info.LocalAddress is IPEndPoint local)
        {
            if (config.HttpsPorts.Contains((uint)local.Port))
            {
                return "https"u8;
            }
            if (config.HttpPorts.Contains((uint)local.Port))
            {
                return "http"u8;
            }
        }
        return TlsScheme(connection);
    }

    private static ReadOnlySpan<byte> TlsScheme(Connection connection) => connection.Tls is null ? "http"u8 : "https"u8;

    private static void RemoveInternalOnly(HeaderMap headers, bool isEdge, RouteTable? routes)
    {
        if (isEdge)
        {
            foreach (var header in NotFromEdge)
            {
                headers.Remove(header);
            }
        }
        foreach (var header in InternalOnly)
        {
            headers.Remove(header);
        }
        headers.Remove(RouterHeaders.TimeoutAltResponse);
        foreach (var name in routes?.InternalOnlyHeaders ?? [])
        {
            headers.Remove(name);
        }
    }

    private void AddOwn(HeaderMap headers, bool isEdge, EndPoint client)
    {
        if (config.AddUserAgent)
        {
            headers.Set(KnownHeader.EnvoyDownstreamServiceCluster, config.LocalCluster);
            if (headers.Get(KnownHeader.UserAgent).IsEmpty)
            {
                headers.Set(KnownHeader.UserAgent, config.LocalCluster);
            }
            if (config.LocalNode.Length > 0)
            {
                headers.Set(KnownHeader.EnvoyDownstreamServiceNode, config.LocalNode);
            }
        }
        if (config.Via.Length > 0)
        {
            AppendVia(headers, config.Via);
        }
        if (isEdge && client is IPEndPoint ip)
        {
            Span<byte> text = stackalloc byte[64];
            ForwardedFor.Unmapped(ip.Address).TryFormat(text, out var length);
            headers.Set(KnownHeader.EnvoyExternalAddress, text[..length]);
        }
        if (config.GenerateRequestId)
        {
            RequestIdExtension.Set(headers, isEdge && !config.PreserveExternalRequestId);
        }
    }

    /// <summary>Appends to `via` with ", " between.</summary>
    public static void AppendVia(HeaderMap headers, ReadOnlySpan<byte> via)
    {
        var old = headers.Get(KnownHeader.Via);
        if (old.IsEmpty)
        {
            headers.Set(KnownHeader.Via, via);
            return;
        }
        var joined = new byte[old.Length + 2 + via.Length];
        old.CopyTo(joined);
        ", "u8.CopyTo(joined.AsSpan(old.Length));
        via.CopyTo(joined.AsSpan(old.Length + 2));
        headers.Set(KnownHeader.Via, joined);
    }
}
