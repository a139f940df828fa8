namespace MeshProxy.Proxy.Http.Codec;

/// <summary>Http1ProtocolOptions, compiled.</summary>
public sealed record Http1Settings
{
    public bool AllowAbsoluteUrl { get; init; } = true;

    public bool AcceptHttp10 { get; init; }

    public string DefaultHostForHttp10 { get; init; } = "";

    public bool EnableTrailers { get; init; }

    public bool AllowChunkedLength { get; init; }

    public bool AllowCustomMethods { get; init; }

    public bool SendFullyQualifiedUrl { get; init; }

    public bool ValidateScheme { get; init; }

    /// <summary>override_stream_error_on_invalid_http_message.</summary>
    public bool StreamErrorOnInvalidHttpMessage { get; init; }

    public HeaderCase HeaderCase { get; init; }

    /// <summary>preserve_case with formatter_type_on_envoy_headers PROPER_CASE: names the peer did not send are written in proper case.</summary>
    public bool ProperCaseForAddedHeaders { get; init; }

    /// <summary>preserve_case with forward_reason_phrase: the backend's reason phrase is written instead of the standard one.</summary>
    public bool ForwardReasonPhrase { get; init; }

    /// <summary>Upgrade tokens treated as if they were not there (ignore_http_11_upgrade); null if none are.</summary>
    public Predicate<string>? IgnoredUpgrade { get; init; }
}

/// <summary>How names are written.</summary>
public enum HeaderCase
{
    Lower,
    ProperCase,

    /// <summary>As they came (preserve_case formatter).</summary>
    Preserve,
}
