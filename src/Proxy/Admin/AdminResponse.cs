using System.Text;
using MeshProxy.Proxy.Observability.Formatting;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Admin;

/// <summary>An answer of the admin interface. Its body is made piece by piece, so that a big one never lies in memory whole.</summary>
public sealed class AdminResponse
{
    /// <summary>Envoy's own: what is not said otherwise is text.</summary>
    public const string PlainText = "text/plain; charset=UTF-8";

    private const string Json = "application/json";

    private static readonly JsonWriteOptions Complete = new() { PrintDefaults = true };

    private readonly Func<ByteWriter, bool> _writeMore;

    private AdminResponse(int status, string contentType, Func<ByteWriter, bool> writeMore)
    {
        Status = status;
        ContentType = contentType;
        _writeMore = writeMore;
    }

    public int Status { get; }

    public string ContentType { get; }

    public static AdminResponse Text(string text, int status = 200) => Whole(Encoding.UTF8.GetBytes(text), status, PlainText);

    /// <param name="printDefaults">Also print scalar fields that are not set.</param>
    public static AdminResponse OfMessage(Message message, bool printDefaults = false) =>
        Whole(message.ToJson(printDefaults ? Complete : JsonWriteOptions.Admin), 200, Json);

    public static AdminResponse OfJson(byte[] json) => Whole(json, 200, Json);

    public static AdminResponse Html(string html) => Whole(Encoding.UTF8.GetBytes(html), 200, "text/html; charset=UTF-8");

    /// <summary>The body comes in pieces: the function appends one and says whether there is more.</summary>
    internal static AdminResponse Pieces(Func<ByteWriter, bool> writeMore, bool json = false) =>
        new(200, json ? Json : PlainText, writeMore);

    /// <summary>Appends the next piece of the body; false after the last. On the main loop.</summary>
    public bool NextPiece(System.Buffers.IBufferWriter<byte> output)
    {
        var piece = ByteWriter.Rent();
        var more = _writeMore(piece);
        System.Buffers.BuffersExtensions.Write(output, piece.Written);
        ByteWriter.Return(piece);
        return more;
    }

    private static AdminResponse Whole(byte[] body, int status, string contentType) =>
        new(status, contentType, output =>
        {
            output.Write(body);
            return false;
        });
}
