using System.IO.Pipelines;
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
    public async ValueTask<Message?> ReadAsync(MessageType type, CancellationToken stop)
    {
        var reader = _context.Request.BodyReader;
        while (true)
        {
            var result = await reader.ReadAsync(stop).ConfigureAwait(false);
            if (TryParse(reader, result, type) is { } message)
                return message;
            if (result.IsCompleted)
                return null;
        }
    }

    public async ValueTask WriteAsync(Message message, CancellationToken stop)
    {
        GrpcFrame.Write(_context.Response.BodyWriter, message.ToBytes());
        await _context.Response.BodyWriter.FlushAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Sets the outcome, which goes behind what was written.</summary>
    public void Finish(GrpcStatus status, string reason)
    {
        _context.Response.AppendTrailer("grpc-status", ((int)status).ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (reason.Length > 0)
            _context.Response.AppendTrailer("grpc-message", Uri.EscapeDataString(reason));
    }

    private static Message? TryParse(PipeReader reader, ReadResult result, MessageType type)
    {
        var buffer = result.Buffer;
        if (!GrpcFrame.TryRead(ref buffer, LargestMessage, out var bytes))
        {
            reader.AdvanceTo(buffer.Start, buffer.End);
            return null;
        }
        var message = Message.Parse(type, System.Buffers.BuffersExtensions.ToArray(bytes));
        reader.AdvanceTo(buffer.Start);
        return message;
    }
}
