using System.Text;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager.ProxyStatusConfig;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>The `proxy-status` header of answers the proxy gave itself (RFC 9209; http-semantics 12).</summary>
internal sealed class ProxyStatus(Config config, string nodeId, string serverName)
{
    private readonly string _name = config.ProxyNameCase switch
    {
        Config.ProxyNameOneofCase.UseNodeId when config.UseNodeId => nodeId,
        Config.ProxyNameOneofCase.LiteralProxyName when config.LiteralProxyName.Length > 0 => config.LiteralProxyName,
        _ => serverName,
    };

    private readonly bool _details = !config.RemoveDetails;
    private readonly bool _flags = !config.RemoveResponseFlags;
    private readonly bool _termination = !config.RemoveConnectionTerminationDetails;
    private readonly bool _recommend = config.SetRecommendedResponseCode;

    public void Apply(HeaderMap headers, StreamInfo info)
    {
        var (error, code) = TypeOf(info);
        if (error.Length == 0)
        {
            return;
        }
        headers.Add("proxy-status"u8, Encoding.Latin1.GetBytes(Value(info, error)));
        if (_recommend && code > 0)
        {
            headers.Set(KnownHeader.Status, code);
        }
    }

    private string Value(StreamInfo info, string error)
    {
        var text = new StringBuilder($"{_name}; error={error}");
        if (_details && (info.ResponseCodeDetails is { Length: > 0 } || info.ConnectionTerminationDetails.Length > 0))
        {
            var parts = new List<string>();
            if (info.ResponseCodeDetails is { Length: > 0 } details)
            {
                parts.Add(details);
            }
            if (_termination && info.ConnectionTerminationDetails.Length > 0)
            {
                parts.Add(info.ConnectionTerminationDetails);
            }
            if (_flags && info.ResponseFlags != ResponseFlags.None)
            {
                parts.Add(ResponseFlagNames.Join(info));
            }
            text.Append("; details=\"").AppendJoin("; ", parts).Append('"');
        }
        return text.ToString();
    }

    // RFC 9209 2.3 with the status it recommends; 0 recommends none.
    private static (string Error, int Code) TypeOf(StreamInfo info)
    {
        if (info.HasFlag(ResponseFlags.FailedLocalHealthCheck) || info.HasFlag(ResponseFlags.NoHealthyUpstream))
        {
            return ("destination_unavailable", 503);
        }
        if (info.HasFlag(ResponseFlags.UpstreamRequestTimeout))
        {
            return info.ConnectionTerminationDetails.Length > 0 ? ("connection_timeout", 504) : ("http_response_timeout", 504);
        }
        if (info.HasFlag(ResponseFlags.LocalReset) || info.HasFlag(ResponseFlags.UpstreamRemoteReset)
            || info.HasFlag(ResponseFlags.UpstreamConnectionTermination))
        {
            return ("connection_terminated", 502);
        }
        if (info.HasFlag(ResponseFlags.UpstreamConnectionFailure))
        {
            return ("connection_refused", 502);
        }
        if (info.HasFlag(ResponseFlags.UpstreamOverflow))
        {
            return ("connection_limit_reached", 503);
        }
        if (info.HasFlag(ResponseFlags.NoRouteFound))
        {
            return ("destination_not_found", 500);
        }
        if (info.HasFlag(ResponseFlags.RateLimited) || info.HasFlag(ResponseFlags.RateLimitServiceError))
        {
            return ("connection_limit_reached", 0);
        }
        if (info.HasFlag(ResponseFlags.UpstreamRetryLimitExceeded))
        {
            return ("destination_unavailable", 0);
        }
        if (info.HasFlag(ResponseFlags.StreamIdleTimeout) || info.HasFlag(ResponseFlags.DurationTimeout)
            || info.HasFlag(ResponseFlags.UpstreamMaxStreamDurationReached))
        {
            return ("http_response_timeout", 0);
        }
        if (info.HasFlag(ResponseFlags.InvalidEnvoyRequestHeaders) || info.HasFlag(ResponseFlags.DownstreamProtocolError))
        {
            return ("http_request_error", 0);
        }
        if (info.HasFlag(ResponseFlags.NoClusterFound))
        {
            return ("destination_unavailable", 0);
        }
        return info.HasFlag(ResponseFlags.UpstreamProtocolError) ? ("http_protocol_error", 0) : ("", 0);
    }
}
