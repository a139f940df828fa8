using System.Net;
using System.Net.Sockets;
using MeshProxy.Proxy.Observability.OpenTelemetry;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Observability.Tracing.Zipkin;

/// <summary>HTTP_PROTO: a ListOfSpans. The writer goes backwards, so fields are written last first.</summary>
internal sealed class ZipkinProtoWriter(string service, IPAddress address, bool shares) : ZipkinSpanWriter(service, address, shares)
{
    // zipkin.proto3.Span.Kind.
    private const ulong Client = 1;
    private const ulong Server = 2;

    public override string ContentType => "application/x-protobuf";

    public override byte[] Write(List<ZipkinSpan> spans)
    {
        var writer = new WireWriter();
        for (var i = spans.Count - 1; i >= 0; i--)
        {
            var end = writer.Length;
            Write(spans[i], ref writer);
            WritePrefix(1, end, ref writer);
        }
        var bytes = writer.ToArray();
        writer.Dispose();
        return bytes;
    }

    private void Write(ZipkinSpan span, ref WireWriter writer)
    {
        if (IsShared(span))
        {
            writer.WriteVarint(1);
            writer.WriteTag(13, WireType.Varint);
        }
        for (var i = span.Tags.Count - 1; i >= 0; i--)
        {
            var end = writer.Length;
            WriteText(2, span.Tags[i].Value, ref writer);
            WriteText(1, span.Tags[i].Name, ref writer);
            WritePrefix(11, end, ref writer);
        }
        WriteEndpoint(ref writer);
        writer.WriteVarint((ulong)Duration(span));
        writer.WriteTag(7, WireType.Varint);
        writer.WriteFixed64((ulong)Microseconds(span.Start));
        writer.WriteTag(6, WireType.Fixed64);
        WriteText(5, span.Operation, ref writer);
        writer.WriteVarint(span.IsServer ? Server : Client);
        writer.WriteTag(4, WireType.Varint);
        WriteBytes(3, OtlpAttributes.Bytes(span.Context.Span), ref writer);
        if (span.ParentId != 0)
        {
            WriteBytes(2, OtlpAttributes.Bytes(span.ParentId), ref writer);
        }
        WriteBytes(1, span.Context.TraceHigh == 0
            ? OtlpAttributes.Bytes(span.Context.TraceLow)
            : OtlpAttributes.Bytes(span.Context.TraceHigh, span.Context.TraceLow), ref writer);
    }

    private void WriteEndpoint(ref WireWriter writer)
    {
        var end = writer.Length;
        WriteBytes(Address.AddressFamily == AddressFamily.InterNetwork ? 2 : 3, Address.GetAddressBytes(), ref writer);
        WriteText(1, Service, ref writer);
        WritePrefix(8, end, ref writer);
    }

    private static void WriteText(int number, string text, ref WireWriter writer)
    {
        var end = writer.Length;
        writer.WriteText(text);
        WritePrefix(number, end, ref writer);
    }

    private static void WriteBytes(int number, byte[] bytes, ref WireWriter writer)
    {
        var end = writer.Length;
        writer.WriteBytes(bytes);
        WritePrefix(number, end, ref writer);
    }

    private static void WritePrefix(int number, int end, ref WireWriter writer)
    {
        writer.WriteVarint((ulong)(writer.Length - end));
        writer.WriteTag(number, WireType.LengthDelimited);
    }
}
