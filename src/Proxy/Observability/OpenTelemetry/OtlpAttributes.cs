using System.Buffers.Binary;
using MeshProxy.Xds.Protobuf;
using Opentelemetry.Proto.Common.V1;

namespace MeshProxy.Proxy.Observability.OpenTelemetry;

/// <summary>Pieces of OpenTelemetry messages.</summary>
internal static class OtlpAttributes
{
    public static void Add(MessageList<KeyValue> attributes, string key, string value)
    {
        var text = AnyValue.New();
        text.StringValue = value;
        Add(attributes, key, text);
    }

    public static void Add(MessageList<KeyValue> attributes, string key, AnyValue value)
    {
        var pair = KeyValue.New();
        pair.Key = key;
        pair.Value = value;
        attributes.Add(pair);
    }

    public static ulong UnixNanoseconds(DateTime time) => (ulong)((time - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick);

    /// <summary>Identifiers go as bytes, most significant first.</summary>
    public static byte[] Bytes(ulong id)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, id);
        return bytes;
    }

    public static byte[] Bytes(ulong high, ulong low)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), low);
        return bytes;
    }
}
