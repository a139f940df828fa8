using System.Buffers.Binary;
using System.Text;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Codec.Hpack;

namespace MeshProxy.Proxy.Tests.Http.Codec;

/// <summary>Frames written byte by byte, and frames received shown as text.</summary>
internal static class Http2Wire
{
    public static byte[] Frame(Http2FrameType type, byte flags, uint stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, ((uint)payload.Length << 8) | (byte)type);
        frame[4] = flags;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    public static byte[] Headers(uint stream, bool end, params string[] pairs) =>
        Frame(Http2FrameType.Headers, (byte)(4 | (end ? 1 : 0)), stream, Block(pairs));

    public static byte[] Data(uint stream, bool end, string text) =>
        Frame(Http2FrameType.Data, (byte)(end ? 1 : 0), stream, Encoding.Latin1.GetBytes(text));

    public static byte[] Number(Http2FrameType type, uint stream, uint value)
    {
        var payload = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(payload, value);
        return Frame(type, 0, stream, payload);
    }

    public static byte[] Settings(params (ushort Id, uint Value)[] settings)
    {
        var payload = new byte[settings.Length * 6];
        for (var i = 0; i < settings.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(i * 6), settings[i].Id);
            BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan((i * 6) + 2), settings[i].Value);
        }
        return Frame(Http2FrameType.Settings, 0, 0, payload);
    }

    public static byte[] Preface() => [.. Http2Protocol.Preface, .. Settings()];

    /// <summary>Literals without indexing, so that any bytes can be named.</summary>
    public static byte[] Block(params string[] pairs)
    {
        var block = new List<byte>();
        for (var i = 0; i < pairs.Length; i += 2)
        {
            block.Add(0);
            Text(block, pairs[i]);
            Text(block, pairs[i + 1]);
        }
        return [.. block];
    }

    /// <summary>Frames as text; SETTINGS and connection window updates left out.</summary>
    public static string Show(ReadOnlySpan<byte> bytes, HpackDecoder decoder)
    {
        var text = new StringBuilder();
        if (bytes.StartsWith(Http2Protocol.Preface))
        {
            bytes = bytes[Http2Protocol.Preface.Length..];
        }
        while (!bytes.IsEmpty)
        {
            var length = (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes) >> 8);
            var type = (Http2FrameType)bytes[3];
            var flags = bytes[4];
            var stream = BinaryPrimitives.ReadUInt32BigEndian(bytes[5..]);
            var payload = bytes.Slice(9, length);
            bytes = bytes[(9 + length)..];
            var end = (flags & 1) != 0 ? " end" : "";
            switch (type)
            {
                case Http2FrameType.Headers:
                    var sink = new Sink();
                    decoder.Decode(payload, sink);
                    text.Append($"headers {stream} {sink.Text}{end}|");
                    break;
                case Http2FrameType.Data:
                    text.Append($"data {stream} {Encoding.Latin1.GetString(payload)}{end}|");
                    break;
                case Http2FrameType.RstStream:
                    text.Append($"rst {stream} {(Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload)}|");
                    break;
                case Http2FrameType.GoAway:
                    text.Append($"goaway {(Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload[4..])}|");
                    break;
                case Http2FrameType.Ping:
                    text.Append($"ping{((flags & 1) != 0 ? " ack" : "")}|");
                    break;
                case Http2FrameType.WindowUpdate when stream != 0:
                    text.Append($"window {stream}|");
                    break;
            }
        }
        return text.ToString();
    }

    private static void Text(List<byte> block, string text)
    {
        if (text.Length >= 127)
        {
            block.Add(127);
            var rest = text.Length - 127;
            for (; rest >= 128; rest >>= 7)
            {
                block.Add((byte)(rest | 128));
            }
            block.Add((byte)rest);
        }
        else
        {
            block.Add((byte)text.Length);
        }
        block.AddRange(Encoding.Latin1.GetBytes(text));
    }

    private sealed class Sink : IHeaderSink
    {
        private readonly StringBuilder _text = new();

        public string Text => _text.ToString().TrimEnd();

        public void OnHeader(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
            _text.Append(Encoding.Latin1.GetString(name)).Append('=').Append(Encoding.Latin1.GetString(value)).Append(' ');
    }
}
