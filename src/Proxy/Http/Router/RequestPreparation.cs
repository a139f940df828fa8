using System.Text;
using MeshProxy.Proxy.Http.ConnectionManager;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>What a route does to the request headers before an endpoint is chosen (http-semantics 5).</summary>
internal static class RequestPreparation
{
    public static void Finalize(RouteEntry route, HeaderMap headers, StreamInfo info, bool keepOriginals)
    {
        var context = new LogContext(headers, null, null, info);
        route.FinalizeRequestHeaders(headers, context);
        RestoreConnectPort(headers, info);
        if (route.WeightedHostRewrite is { } weighted)
        {
            headers.Set(KnownHeader.Authority, weighted);
        }
        else if (route.Action!.HostRewrite?.Rewrite(headers, context) is { } host)
        {
            UpdateAuthority(headers, host, route.Action!.AppendForwardedHost, keepOriginals);
        }
        if (route.Action!.PathRewrite is { } rewrite)
        {
            RewritePath(rewrite, route, headers, context, keepOriginals);
        }
    }

    public static void UpdateAuthority(HeaderMap headers, string host, bool appendForwardedHost, bool keepOriginal)
    {
        var old = headers.GetString(KnownHeader.Authority) ?? "";
        if (appendForwardedHost && old.Length > 0)
        {
            AppendForwardedHost(headers, old);
        }
        if (keepOriginal)
        {
            headers.Set(KnownHeader.EnvoyOriginalHost, old);
        }
        headers.Set(KnownHeader.Authority, host);
    }

    private static void AppendForwardedHost(HeaderMap headers, string host)
    {
        var known = headers.GetString(KnownHeader.XForwardedHost) ?? "";
        if (known.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } parts && parts[^1] == host)
        {
            return;
        }
        HeaderUtility.Append(headers, KnownHeader.XForwardedHost, default, Encoding.Latin1.GetBytes(host));
    }

    private static void RestoreConnectPort(HeaderMap headers, StreamInfo info)
    {
        if (HeaderUtility.PortStart(headers.Get(KnownHeader.Authority)) < 0
            && info.KnownFilterState.Get<OriginalConnectPort>(OriginalConnectPort.Key) is { } original)
        {
            headers.Set(KnownHeader.Authority, $"{headers.GetString(KnownHeader.Authority)}:{original.Port}");
        }
    }

    private static void RewritePath(PathRewrite rewrite, RouteEntry route, HeaderMap headers, in LogContext context, bool keepOriginal)
    {
        if (headers.GetString(KnownHeader.Path) is not { } path || rewrite.Rewrite(path, route.Match.Path, context) is not { } rewritten)
        {
            return;
        }
        if (keepOriginal)
        {
            headers.Set(KnownHeader.EnvoyOriginalPath, path);
        }
        headers.Set(KnownHeader.Path, rewritten);
    }
}
