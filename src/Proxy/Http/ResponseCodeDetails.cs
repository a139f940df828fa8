namespace MeshProxy.Proxy.Http;

/// <summary>Envoy's `%RESPONSE_CODE_DETAILS%` words.</summary>
public static class ResponseCodeDetails
{
    public const string ViaUpstream = "via_upstream";
    public const string DirectResponse = "direct_response";
    public const string RouteNotFound = "route_not_found";
    public const string ClusterNotFound = "cluster_not_found";
    public const string NoHealthyUpstream = "no_healthy_upstream";
    public const string MissingHost = "missing_host_header";
    public const string QueryMissingContentType = "query_missing_content_type";
    public const string MissingPath = "missing_path_rejected";
    public const string AbsolutePath = "absolute_path_rejected";
    public const string PathNormalizationFailed = "path_normalization_failed";
    public const string LowVersion = "low_version";
    public const string UpgradeFailed = "upgrade_failed";
    public const string Overload = "overload";
    public const string MaintenanceMode = "maintenance_mode";
    public const string InternalRedirect = "internal_redirect";
    public const string RequestOverallTimeout = "request_overall_timeout";
    public const string RequestHeaderTimeout = "request_header_timeout";
    public const string StreamIdleTimeout = "stream_idle_timeout";
    public const string MaxDurationTimeout = "max_duration_timeout";
    public const string ResponseTimeout = "response_timeout";
    public const string UpstreamPerTryTimeout = "upstream_per_try_timeout";
    public const string UpstreamPerTryIdleTimeout = "upstream_per_try_idle_timeout";
    public const string UpstreamMaxStreamDuration = "upstream_max_stream_duration_reached";
    public const string UpstreamEarlyReset = "upstream_reset_before_response_started";
    public const string UpstreamLateReset = "upstream_reset_after_response_started";
    public const string RequestPayloadTooLarge = "request_payload_too_large";
    public const string ResponsePayloadTooLarge = "response_payload_too_large";
    public const string RequestPayloadExceededRetryBuffer = "request_payload_exceeded_retry_buffer_limit";
    public const string DownstreamRemoteDisconnect = "downstream_remote_disconnect";
    public const string DownstreamLocalDisconnect = "downstream_local_disconnect";
    public const string IpDetectionRejected = "rejecting_because_detection_failed";
    public const string TxFlushTimeout = "tx_flush_timeout";
    public const string StrictCheckFailed = "request_headers_failed_strict_check";
    public const string DropOverload = "drop_overload";
    public const string UnconditionalDropOverload = "unconditional_drop_overload";
    public const string WebSocketHandshakeFailed = "websocket_handshake_unsuccessful";
    public const string FilterChainNotFound = "filter_chain_not_found";
    public const string ExtAuthzDenied = "ext_authz_denied";
    public const string ExtAuthzError = "ext_authz_error";
    public const string ExtAuthzInvalid = "ext_authz_invalid";
    public const string RequestRateLimited = "request_rate_limited";
    public const string RateLimiterError = "rate_limiter_error";
    public const string AdminFilterResponse = "admin_filter_response";
}
