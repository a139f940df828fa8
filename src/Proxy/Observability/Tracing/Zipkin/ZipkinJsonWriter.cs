using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace MeshProxy.Proxy.Observability.Tracing.Zipkin;

/// <summary>HTTP_JSON: a list of spans.</summary>
internal sealed class ZipkinJsonWriter(string service, IPAddress address, bool shares) : ZipkinSpanWriter(service, address, shares)
{
    public override string ContentType => "application/json";

    public override byte[] Write(List<ZipkinSpan> spans)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartArray();
            foreach (var span in spans)
            {
                Write(span, json);
            }
            json.WriteEndArray();
        }
        return output.WrittenSpan.ToArray();
    }

    private void Write(ZipkinSpan span, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("traceId", span.TraceId);
        if (span.ParentId != 0)
        {
            json.WriteString("parentId", TraceIds.Text(span.ParentId));
        }
        json.WriteString("id", span.SpanId);
        json.WriteString("name", span.Operation);
        json.WriteString("kind", span.IsServer ? "SERVER" : "CLIENT");
        json.WriteNumber("timestamp", Microseconds(span.Start));
        json.WriteNumber("duration", Duration(span));
        if (IsShared(span))
        {
            json.WriteBoolean("shared", true);
        }
        json.WriteStartObject("localEndpoint");
        json.WriteString("serviceName", Service);
        json.WriteString(Address.AddressFamily == AddressFamily.InterNetwork ? "ipv4" : "ipv6", Address.ToString());
        json.WriteNumber("port", 0);
        json.WriteEndObject();
        json.WriteStartObject("tags");
        foreach (var (name, value) in span.Tags)
        {
            json.WriteString(name, value);
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
