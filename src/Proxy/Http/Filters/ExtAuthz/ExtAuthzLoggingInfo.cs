using System.Globalization;
using System.Text;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Formatting;

namespace MeshProxy.Proxy.Http.Filters.ExtAuthz;

/// <summary>What the check cost, in filter state under the filter's name, for logs (emit_filter_state_stats, filter_metadata).</summary>
internal sealed class ExtAuthzLoggingInfo(MetadataValue.StructNode? metadata) : IFilterStateObject
{
    public long? LatencyMicroseconds { get; set; }

    public long? BytesSent { get; set; }

    public long? BytesReceived { get; set; }

    public int? GrpcStatus { get; set; }

    public string? SerializeAsString() => SerializeAsJson();

    public string? SerializeAsJson()
    {
        if (metadata is null)
        {
            return null;
        }
        var output = ByteWriter.Rent();
        JsonText.WriteStruct(metadata.Fields, output);
        var text = Encoding.UTF8.GetString(output.Written);
        ByteWriter.Return(output);
        return text;
    }

    public string? GetField(string name) => name switch
    {
        "latency_us" => Number(LatencyMicroseconds),
        "bytesSent" => Number(BytesSent),
        "bytesReceived" => Number(BytesReceived),
        "grpc_status_code" => Number(GrpcStatus),
        _ => null,
    };

    private static string? Number(long? value) => value?.ToString(CultureInfo.InvariantCulture);
}
