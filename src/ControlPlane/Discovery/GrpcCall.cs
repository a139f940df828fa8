using MeshProxy.Xds.Grpc;
using MeshProxy.Xds.Protobuf;
using Microsoft.AspNetCore.Http;

namespace MeshProxy.ControlPlane.Discovery;

/// <summary>A call of gRPC on the server's side.</summary>
internal sealed class GrpcCall(HttpContext context)
{
    // A client that knows ten thousand resources names them all in its first message: about a mebibyte.
    private const int LargestMessage = 16 * 1024 * 1024;

    private readonly HttpContext _context = context;

    /// <summary>Whether a request is one of gRPC.</summary>
    public static bool IsOne(HttpRequest request) =>
        HttpMethods.IsPost(request.Method)
        && request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Sends the headers, so that the client knows the call has begun.</summary>
    public async Task StartAsync(CancellationToken stop)
    {
        _context.Response.ContentType = "application/grpc";
        await _context.Response.BodyWriter.FlushAsync(stop).ConfigureAwait(false);
    }

    /// <summary>The next message of the client, or null at its end.</summary>
    /// <exception cref="ProtobufException">The framing or the message is malformed.</exception>
    public async ValueTask<Message?> ReadAsync(MessageType type, CancellationToken stop) =>
        await ReadAsync(stop).ConfigureAwait(false) is { } bytes ? Message.Parse(type, bytes) : null;

    /// <summary>The bytes of the next message of the client, or null at its end.</summary>
    /// <exception cref="ProtobufException">The framing is malformed.</exception>
    public ValueTask<byte[]?> ReadAsync(CancellationToken stop) =>
        GrpcPipe.ReadAsync(_context.Request.BodyReader, LargestMessage, stop);

    public ValueTask WriteAsync(Message message, CancellationToken stop) => WriteAsync(message.ToBytes(), stop);

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> message, CancellationToken stop)
    {
        GrpcFrame.Write(_context.Response.BodyWriter, message.Span);
        await _context.Response.BodyWriter.FlushAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Sets the outcome, which goes behind what was written.</summary>
    public void Finish(GrpcStatus status, string reason)
    {
        _context.Response.AppendTrailer("grpc-status", ((int)status).ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (reason.Length > 0)
            _context.Response.AppendTrailer("grpc-message", Uri.EscapeDataString(reason));
    }
}
