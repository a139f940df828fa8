using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability.Failures;

/// <summary>A sentence for each way in which an exchange can fail: what was refused, by what rule, what to change.</summary>
internal static class FailureSentences
{
    public static string Of(Failure failure) => OfDetails(failure) ?? OfFlags(failure) ?? OfCode(failure);

    /// <summary>The sentence of a response flag, by its short name.</summary>
    public static string OfFlag(string flag, Failure failure)
    {
        var cluster = failure.Cluster.Length > 0 ? $"cluster {failure.Cluster}" : "the cluster";
        var host = failure.Host.Length > 0 ? failure.Host : "the endpoint";
        var reason = failure.TransportFailure.Length > 0 ? $" ({failure.TransportFailure})" : "";
        return flag switch
        {
            "LH" => "A health check failed this proxy itself, so it answers 503; make it healthy again with POST /healthcheck/ok, or see why its checks fail.",
            "UH" => $"{Capital(cluster)} has no healthy endpoint; see `meshproxy endpoints --cluster '{failure.Cluster}'` and why its pods are not ready or were ejected.",
            "UT" => $"{Capital(cluster)} did not answer within the route's timeout; raise timeout in the VirtualService, or find out why {host} is slow.",
            "LR" => $"This proxy reset the stream to {host} itself{reason}; the details say which rule did: {Shown(failure.Details)}.",
            "UR" => $"{Capital(host)} reset the stream; the application or its proxy refused the request after taking it, so look at its log.",
            "UF" => $"No connection to {host} of {cluster} came about{reason}; check that the application listens there, that both sides agree on mutual TLS (PeerAuthentication, DestinationRule), and network policies.",
            "UC" => $"{Capital(host)} closed the connection before it had answered; make its keep-alive timeout longer than this proxy's idle timeout, or see whether it crashed.",
            "UO" => $"A circuit breaker of {cluster} was full; raise connectionPool in the DestinationRule, or slow the callers down.",
            "NR" => failure.Code == 0
                ? $"No filter chain of {(failure.Listener.Length > 0 ? $"listener {failure.Listener}" : "the listener")} takes the connection; see `meshproxy explain` with its address for which criterion fails."
                : "No route fits the request; check hosts and matches of the VirtualService, or see `meshproxy explain` with its URL.",
            "DI" => "A delay was injected by the route's fault; remove fault.delay from the VirtualService if that is not wanted.",
            "FI" => "The request was aborted by the route's fault; remove fault.abort from the VirtualService if that is not wanted.",
            "RL" => "A rate limit refused the request; raise the limit's tokens, or send less.",
            "UAEX" => "The external authorisation service refused the request; its own log says why.",
            "RLSE" => "The rate limit service did not answer and failure_mode_deny is set; make the service reachable.",
            "DC" => "The client went away before it had the whole answer; its own timeout is shorter than the answer takes.",
            "URX" => $"All retries to {cluster} failed too; the last answer is passed on, so look at what {host} says.",
            "SI" => "Nothing was sent in either direction for the stream's idle timeout; raise stream_idle_timeout, or send keep-alives.",
            "IH" => "A header that only the proxy itself may understand has a wrong value; correct the x-envoy-… header that strict checking names.",
            "DPE" => $"The client broke the rules of HTTP ({Shown(failure.Details)}); see whether it speaks HTTP at all on this port, and what its headers are.",
            "UMSDR" => $"The stream to {cluster} reached max_stream_duration; raise it in the cluster's options for long streams.",
            "RFCF" => "The answer came from the cache filter.",
            "NFCF" => "A filter's configuration by extension discovery (ECDS) has not come; see `meshproxy config ecds` and the control plane's log.",
            "DT" => "The connection reached its longest duration (max_downstream_connection_duration); raise it for long connections.",
            "UPE" => $"{Capital(host)} sent something that is not HTTP as {cluster} expects it{reason}; check the port's protocol (name or appProtocol of the Service) and the application.",
            "NC" => $"The route names {cluster}, which does not exist; check that the Service and the DestinationRule's subset do, and that a Sidecar resource does not hide them.",
            "OM" => "The overload manager cut it off to protect the proxy; give the proxy more memory or fewer connections.",
            "DF" => $"The host of {cluster} could not be resolved by DNS; check its name and the resolver.",
            "DO" => $"The control plane asks for a share of the load of {cluster} to be dropped (drop_overloads); see its load assignment.",
            "DR" => "The client reset the stream; it gave up, or was told to.",
            "UDO" => $"The control plane asks for all load of {cluster} to be dropped (drop_overloads of 100 %); see its load assignment.",
            _ => $"The exchange ended with {flag} ({Shown(failure.Details)}).",
        };
    }

    private static string? OfDetails(Failure failure)
    {
        if (failure.Policy.Length > 0)
        {
            return failure.Policy == "none"
                ? $"Authorisation refused {failure.Peer}: there are ALLOW policies for this workload and none matches; add a rule for the caller, or see `meshproxy explain`."
                : $"Authorisation refused {failure.Peer} by {PolicyName(failure.Policy)}; change its rules if the caller is to be let in.";
        }
        if (failure.Details.StartsWith("jwt_authn_access_denied{", StringComparison.Ordinal))
        {
            return $"The token was refused: {failure.Details["jwt_authn_access_denied{".Length..^1].Replace('_', ' ')}; send a token that the RequestAuthentication's issuers and audiences accept.";
        }
        if (failure.Flags == "-" && failure.TransportFailure.Length > 0 && failure.Code == 0)
        {
            return $"The TLS handshake with {failure.Peer} failed ({failure.TransportFailure}); check the client's certificate and roots, and whether it speaks TLS at all.";
        }
        return failure.Details switch
        {
            ResponseCodeDetails.MissingHost => "The request has no host header, and HTTP wants one.",
            ResponseCodeDetails.MissingPath => "The request has no path.",
            ResponseCodeDetails.AbsolutePath => "The path does not begin with /.",
            ResponseCodeDetails.PathNormalizationFailed => "The path cannot be normalised (a fragment or escaped slashes); see pathNormalization in the mesh configuration.",
            ResponseCodeDetails.LowVersion => "The client speaks HTTP/1.0, which is not accepted; set accept_http_10, or use HTTP/1.1.",
            ResponseCodeDetails.UpgradeFailed => "The client asked for an upgrade that the listener does not allow; add it to upgrade_configs.",
            ResponseCodeDetails.RequestOverallTimeout => "The whole request did not come within request_timeout; raise it for slow clients.",
            ResponseCodeDetails.RequestHeaderTimeout => "The headers did not come within request_headers_timeout; the client is too slow.",
            ResponseCodeDetails.MaxDurationTimeout => "The stream reached max_stream_duration of the listener or route; raise it for long streams.",
            ResponseCodeDetails.RequestPayloadTooLarge => "The body is longer than the buffer limit; raise per_connection_buffer_limit_bytes, or do without the filter that buffers.",
            ResponseCodeDetails.ResponsePayloadTooLarge => "The answer's body is longer than the buffer limit of a filter that buffers it.",
            ResponseCodeDetails.IpDetectionRejected => "The client's address could not be told from its headers, which the listener requires.",
            ResponseCodeDetails.MaintenanceMode => $"Cluster {failure.Cluster} is in maintenance mode (runtime upstream.maintenance_mode).",
            ResponseCodeDetails.WebSocketHandshakeFailed => $"{Capital(failure.Host.Length > 0 ? failure.Host : "the endpoint")} did not agree to the WebSocket handshake.",
            ResponseCodeDetails.ViaUpstream when failure.Flags == "-" =>
                $"The application behind cluster {failure.Cluster} ({failure.Host}) answered {failure.Code} itself; look at its own log.",
            _ => null,
        };
    }

    // URX stands beside what went wrong in the last attempt, DI beside what came after the delay: the other one says more.
    private static string? OfFlags(Failure failure)
    {
        if (failure.Flags == "-")
        {
            return null;
        }
        var flags = failure.Flags.Split(',');
        var telling = Array.FindLast(flags, static flag => flag is not ("URX" or "DI")) ?? flags[^1];
        var sentence = OfFlag(telling, failure);
        return flags.Contains("URX") && telling != "URX" ? $"{sentence.TrimEnd('.')}; all retries failed as well." : sentence;
    }

    private static string OfCode(Failure failure) => failure.Code > 0
        ? $"The proxy answered {failure.Code} ({Shown(failure.Details)}); the details name the filter or rule."
        : $"The connection ended early ({Shown(failure.Details)}).";

    // istiod's names: ns[NAMESPACE]-policy[NAME]-rule[N].
    private static string PolicyName(string policy)
    {
        var parts = policy.Split(['[', ']']);
        return parts is ["ns", var space, "-policy", var name, "-rule", var rule, ..]
            ? $"AuthorizationPolicy {name} in namespace {space}, rule {rule}" : $"policy {policy}";
    }

    private static string Shown(string details) => details.Length > 0 ? details : "no details";

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
