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

    /// <summary>Requests with these upgrade tokens are treated as if they had none (ignore_http_11_upgrade).</summary>
    public IReadOnlyList<string> IgnoredUpgrades { get; init; } = [];
}

/// <summary>How names are written.</summary>
public enum HeaderCase
{
    Lower,
    ProperCase,

    /// <summary>As they came (preserve_case formatter).</summary>
    Preserve,
}
