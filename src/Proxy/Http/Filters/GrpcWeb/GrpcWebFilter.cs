using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.GrpcWeb;

/// <summary>Translates gRPC-Web of browsers, binary or base64, into gRPC and back (grpc doc/PROTOCOL-WEB.md).</summary>
internal sealed class GrpcWebFilter : PassThroughFilter
{
    /// <summary>Flag of the frame that carries trailers.</summary>
    private const byte TrailersFrame = 0x80;

    private readonly ByteBuffer _incoming = new();
    private readonly ByteBuffer _outgoing = new();
    private bool _active;
    private bool _textRequest;
    private bool _textResponse;
    private bool _notGrpc;
    private HeaderMap? _held;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        var type = headers.Get(KnownHeader.ContentType);
        _textRequest = IsType(type, "application/grpc-web-text"u8);
        _active = _textRequest || IsType(type, "application/grpc-web"u8);
        if (!_active)
        {
            return FilterHeadersStatus.Continue;
        }
        _textResponse = headers.Get(KnownHeader.Accept).StartsWith("application/grpc-web-text"u8);
        headers.Remove(KnownHeader.ContentLength);
        headers.Set(KnownHeader.ContentType, "application/grpc"u8);
        headers.Set(KnownHeader.Te, "trailers"u8);
        headers.Set(KnownHeader.GrpcAcceptEncoding, "identity"u8);
        return FilterHeadersStatus.Continue;
    }

    public override FilterDataStatus DecodeData(ByteBuffer data, bool endStream)
    {
        if (!_active || !_textRequest)
        {
            return FilterDataStatus.Continue;
        }
        _incoming.MoveFrom(data);
        // Base64 goes in groups of four; a group may be cut between two pieces.
        var whole = _incoming.Length - (_incoming.Length % 4);
        if ((endStream && whole != _incoming.Length) || !TryDecode((int)whole, data))
        {
            Decoder.SendLocalReply(400, "Bad gRPC-web request, invalid base64 data."u8, null, GrpcStatus.Internal,
                "grpc_base_64_decode_failed");
            return FilterDataStatus.StopIterationNoBuffer;
        }
        return FilterDataStatus.Continue;
    }

    public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
    {
        if (!_active)
        {
            return FilterHeadersStatus.Continue;
        }
        _notGrpc = HeaderUtility.Status(headers) != 200 || !GrpcCommon.IsGrpcRequest(headers);
        headers.Set(KnownHeader.ContentType, _textResponse ? "application/grpc-web-text+proto"u8 : "application/grpc-web+proto"u8);
        headers.Remove(KnownHeader.ContentLength);
        if (!_notGrpc || headers.Contains(KnownHeader.GrpcStatus))
        {
            _notGrpc = false;
            return FilterHeadersStatus.Continue;
        }
        headers.Set(KnownHeader.GrpcStatus, GrpcStatus.FromHttp(HeaderUtility.Status(headers)));
        _held = headers;
        return endStream ? FilterHeadersStatus.Continue : FilterHeadersStatus.StopIteration;
    }

    public override FilterDataStatus EncodeData(ByteBuffer data, bool endStream)
    {
        if (!_active)
        {
            return FilterDataStatus.Continue;
        }
        if (_notGrpc)
        {
            return TurnIntoMessage(data, endStream);
        }
        if (_textResponse)
        {
            EncodeFrames(data, endStream);
        }
        return FilterDataStatus.Continue;
    }

    // An answer that is not gRPC's: its body becomes the message of a status, as a browser's client cannot read it.
    private FilterDataStatus TurnIntoMessage(ByteBuffer data, bool endStream)
    {
        _outgoing.MoveFrom(data);
        if (!endStream)
        {
            return FilterDataStatus.StopIterationNoBuffer;
        }
        if (!_outgoing.IsEmpty)
        {
            _held!.Set(KnownHeader.GrpcMessage, GrpcCommon.PercentEncode(_outgoing.ToArray()));
        }
        _held!.Set(KnownHeader.ContentLength, 0);
        _outgoing.Clear();
        return FilterDataStatus.Continue;
    }

    public override FilterTrailersStatus EncodeTrailers(HeaderMap trailers)
    {
        if (!_active)
        {
            return FilterTrailersStatus.Continue;
        }
        var text = new StringBuilder();
        for (var i = trailers.Next(0); i >= 0; i = trailers.Next(i + 1))
        {
            text.Append(Encoding.Latin1.GetString(trailers.Name(i))).Append(':')
                .Append(Encoding.Latin1.GetString(trailers.Value(i))).Append("\r\n");
        }
        var frame = new byte[GrpcMessages.PrefixLength + text.Length];
        frame[0] = TrailersFrame;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)text.Length);
        Encoding.Latin1.GetBytes(text.ToString(), frame.AsSpan(GrpcMessages.PrefixLength));
        var buffer = new ByteBuffer();
        if (_textResponse)
        {
            AppendBase64(buffer, _outgoing.ToArray());
            _outgoing.Clear();
            AppendBase64(buffer, frame);
        }
        else
        {
            buffer.Append(frame);
        }
        Encoder.AddEncodedData(buffer, streaming: true);
        // The browser sees them in the body only.
        trailers.Clear();
        return FilterTrailersStatus.Continue;
    }

    private static bool IsType(ReadOnlySpan<byte> type, ReadOnlySpan<byte> wanted) =>
        type.SequenceEqual(wanted) || (type.StartsWith(wanted) && type[wanted.Length..].SequenceEqual("+proto"u8));

    private bool TryDecode(int length, ByteBuffer output)
    {
        var text = _incoming.Linearize(length)[..length];
        var decoded = new byte[Base64.GetMaxDecodedFromUtf8Length(length)];
        if (Base64.DecodeFromUtf8(text, decoded, out var consumed, out var written) != System.Buffers.OperationStatus.Done
            || consumed != length)
        {
            return false;
        }
        _incoming.Drain(length);
        output.Append(decoded.AsSpan(0, written));
        return true;
    }

    // Whole frames are encoded one by one, so that a client can decode each as it comes.
    private void EncodeFrames(ByteBuffer data, bool endStream)
    {
        _outgoing.MoveFrom(data);
        while (_outgoing.Length >= GrpcMessages.PrefixLength)
        {
            var prefix = _outgoing.Linearize(GrpcMessages.PrefixLength);
            var length = GrpcMessages.PrefixLength + (long)BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
            if (_outgoing.Length < length)
            {
                break;
            }
            var frame = new byte[length];
            _outgoing.CopyTo(frame);
            _outgoing.Drain(length);
            AppendBase64(data, frame);
        }
        if (endStream && !_outgoing.IsEmpty)
        {
            AppendBase64(data, _outgoing.ToArray());
            _outgoing.Clear();
        }
    }

    private static void AppendBase64(ByteBuffer output, byte[] bytes) =>
        output.Append(Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes)));
}
