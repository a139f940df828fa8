using System.Buffers.Binary;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Network.MetadataExchange;

/// <summary>
/// What stands before the payload of an `istio-peer-exchange` connection, each way: magic number and length (both 32 bits, big
/// endian), then an Any holding a Struct of the peer's metadata and node id.
/// </summary>
internal static class ExchangeHeader
{
    public const int FixedLength = 8;

    /// <summary>Node metadata are a kilobyte or two; a longer announcement is no metadata but an attempt to have memory taken.</summary>
    public const uint MaxBody = 64 * 1024;

    private const uint Magic = 0x3D230467;
    private const string MetadataKey = "x-envoy-peer-metadata";
    private const string IdKey = "x-envoy-peer-metadata-id";

    // google.protobuf.Any.
    private const int TypeUrlField = 1;
    private const int ValueField = 2;

    private static readonly HashSet<string> NoLabels = [];

    public static byte[] Write(WorkloadMetadata local, string nodeId)
    {
        var data = Struct.New();
        var metadata = Value.New();
        metadata.StructValue = WorkloadMetadataFormat.ToStruct(local);
        data.Fields.Set(MetadataKey, metadata);
        if (nodeId.Length > 0)
        {
            var id = Value.New();
            id.StringValue = nodeId;
            data.Fields.Set(IdKey, id);
        }
        var body = WriteAny(data.Message);
        var header = new byte[FixedLength + body.Length];
        BinaryPrimitives.WriteUInt32BigEndian(header, Magic);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), (uint)body.Length);
        body.CopyTo(header.AsSpan(FixedLength));
        return header;
    }

    /// <summary>The length of the body; null when the magic number is not there.</summary>
    public static uint? ReadLength(ReadOnlySpan<byte> fixedPart) =>
        BinaryPrimitives.ReadUInt32BigEndian(fixedPart) == Magic ? BinaryPrimitives.ReadUInt32BigEndian(fixedPart[4..]) : null;

    /// <summary>False when the body is no such message; the peer is null when it says nothing of its workload.</summary>
    public static bool TryReadBody(ReadOnlySpan<byte> body, out WorkloadMetadata? peer)
    {
        peer = null;
        try
        {
            if (ReadAny(body) is not { } data)
            {
                return false;
            }
            if (data.Fields.TryGetValue(MetadataKey, out var metadata) && metadata.StructValue is { } workload)
            {
                peer = WorkloadMetadataFormat.FromStruct(workload, NoLabels);
            }
            return true;
        }
        catch (ProtobufException)
        {
            return false;
        }
    }

    // The writer goes backwards, so fields are written last first.
    private static byte[] WriteAny(Message packed)
    {
        var writer = new WireWriter();
        WriteField(ValueField, packed.ToBytes(), ref writer);
        WriteField(TypeUrlField, Encoding.UTF8.GetBytes(packed.Type.TypeUrl), ref writer);
        var bytes = writer.ToArray();
        writer.Dispose();
        return bytes;
    }

    private static void WriteField(int number, byte[] value, ref WireWriter writer)
    {
        writer.WriteBytes(value);
        writer.WriteVarint((ulong)value.Length);
        writer.WriteTag(number, WireType.LengthDelimited);
    }

    // Null when another type is packed.
    private static Struct? ReadAny(ReadOnlySpan<byte> any)
    {
        var reader = new WireReader(any);
        ReadOnlySpan<byte> type = default;
        ReadOnlySpan<byte> value = default;
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case (TypeUrlField << 3) | (uint)WireType.LengthDelimited:
                    type = reader.ReadLengthDelimited();
                    break;
                case (ValueField << 3) | (uint)WireType.LengthDelimited:
                    value = reader.ReadLengthDelimited();
                    break;
                default:
                    reader.Skip(tag, 0);
                    break;
            }
        }
        return type.SequenceEqual(Encoding.UTF8.GetBytes(Struct.Descriptor.TypeUrl)) ? Message.Parse<Struct>(value) : null;
    }
}
