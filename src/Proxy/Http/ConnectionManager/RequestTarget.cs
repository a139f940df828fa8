using System.Net;
using EscapedSlashes = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.PathWithEscapedSlashesAction;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>What normalising found of a path.</summary>
internal enum PathVerdict
{
    Accept,
    Reject,

    /// <summary>The client is to ask again with the normalised path.</summary>
    Redirect,
}

/// <summary>Brings path and host into the form that routes and policies see, in Envoy's order.</summary>
internal static class RequestTarget
{
    public static PathVerdict NormalizePath(HttpConnectionManagerConfig config, HeaderMap headers)
    {
        if (headers.Get(KnownHeader.Path).Contains((byte)'#')
            && config.Runtime.GetBoolean("envoy.reloadable_features.http_reject_path_with_fragment", true))
        {
            return PathVerdict.Reject;
        }
        var redirects = false;
        switch (config.EscapedSlashes)
        {
            case EscapedSlashes.RejectRequest when PathNormalizer.HasEscapedSlashes(headers):
                return PathVerdict.Reject;
            case EscapedSlashes.UnescapeAndRedirect:
                redirects = PathNormalizer.UnescapeSlashes(headers);
                break;
            case EscapedSlashes.UnescapeAndForward:
                PathNormalizer.UnescapeSlashes(headers);
                break;
        }
        if (config.NormalizePath && !PathNormalizer.Canonicalize(headers))
        {
            return PathVerdict.Reject;
        }
        if (config.MergeSlashes)
        {
            PathNormalizer.MergeSlashes(headers);
        }
        return redirects ? PathVerdict.Redirect : PathVerdict.Accept;
    }

    /// <param name="local">Where the connection was accepted: strip_matching_host_port strips its port.</param>
    /// <returns>The port that was stripped; null if none was.</returns>
    public static int? NormalizeHost(HttpConnectionManagerConfig config, HeaderMap headers, EndPoint local)
    {
        if (config.StripTrailingHostDot)
        {
            HostNormalizer.StripTrailingDot(headers);
        }
        if (config.StripPort == StripPort.None)
        {
            return null;
        }
        int? only = config.StripPort == StripPort.Matching ? (local as IPEndPoint)?.Port ?? -1 : null;
        return HostNormalizer.StripPort(headers, only);
    }
}
