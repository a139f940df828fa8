namespace MeshProxy.Proxy.Http.Codec;

/// <summary>`%RESPONSE_CODE_DETAILS%` texts of refused messages, as Envoy names them.</summary>
internal static class CodecDetails
{
    public const string Http1CodecError = "http1.codec_error";
    public const string Http1HeadersTooLarge = "http1.headers_too_large";
    public const string Http1TrailersTooLarge = "http1.trailers_too_large";
    public const string Http1TooManyHeaders = "http1.too_many_headers";
    public const string Http1TooManyTrailers = "http1.too_many_trailers";
    public const string Http1InvalidCharacters = "http1.invalid_characters";
    public const string Http1UnexpectedUnderscore = "http1.unexpected_underscore";
    public const string Http1InvalidTransferEncoding = "http1.invalid_transfer_encoding";
    public const string Http1BodyDisallowed = "http1.body_disallowed";
    public const string Http1BothLengths = "http1.content_length_and_chunked_not_allowed";
    public const string Http1TransferEncodingNotAllowed = "http1.transfer_encoding_not_allowed";
    public const string Http1ContentLengthNotAllowed = "http1.content_length_not_allowed";
    public const string Http1ConnectionHeaderRejected = "http1.connection_header_rejected";
    public const string Http1InvalidUrl = "http1.invalid_url";
    public const string Http1InvalidScheme = "http1.invalid_scheme";
    public const string Http1HttpsInPlaintext = "http1.https_url_on_plaintext_connection";
    public const string Http1ResponseFlood = "http1.response_flood";
    public const string Http2InvalidHeaderField = "http2.invalid.header.field";
    public const string Http2MessagingViolation = "http2.violation.of.messaging.rule";
    public const string Http2RemoteReset = "http2.remote_reset";
    public const string Http2RemoteRefused = "http2.remote_refuse";
    public const string Http2TooManyHeaders = "http2.too_many_headers";
    public const string Http2HeaderListTooLarge = "http2.header_list_size_too_large";
    public const string Http2UnexpectedUnderscore = "http2.unexpected_underscore";
    public const string Http2InboundEmptyFramesFlood = "http2.inbound_empty_frames_flood";
    public const string LowVersion = "low_version";
    public const string InvalidAuthority = "http.invalid_authority";
    public const string InvalidScheme = "http.invalid_scheme";
}
