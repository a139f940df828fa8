using System.Text;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>Status lines of HTTP/1 answers, formatted once.</summary>
internal static class StatusLines
{
    private const int First = 100;
    private const int Count = 900;

    private static readonly byte[]?[] Http11 = new byte[]?[Count];
    private static readonly byte[]?[] Http10 = new byte[]?[Count];

    /// <summary>`HTTP/1.1 200 OK` with its line end.</summary>
    public static ReadOnlySpan<byte> Get(int status, bool http10)
    {
        var index = status - First;
        var lines = http10 ? Http10 : Http11;
        if ((uint)index >= Count)
        {
            return Format(status, http10, Phrase(status));
        }
        return lines[index] ??= Format(status, http10, Phrase(status));
    }

    public static byte[] Format(int status, bool http10, ReadOnlySpan<char> phrase) =>
        Encoding.Latin1.GetBytes($"HTTP/1.{(http10 ? 0 : 1)} {status} {phrase}\r\n");

    /// <summary>The standard reason phrase, `Unknown` when there is none (Envoy's CodeUtility::toString).</summary>
    public static string Phrase(int status) => status switch
    {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        226 => "IM Used",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Payload Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Entity",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        510 => "Not Extended",
        511 => "Network Authentication Required",
        _ => "Unknown",
    };
}
