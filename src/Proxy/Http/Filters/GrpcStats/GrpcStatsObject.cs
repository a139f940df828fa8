using System.Globalization;
using Envoy.Extensions.Filters.Http.GrpcStats.V3;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Http.Filters.GrpcStats;

/// <summary>Message counts of one request, for logs and metrics (`%FILTER_STATE(envoy.filters.http.grpc_stats)%`).</summary>
internal sealed class GrpcStatsObject : IFilterStateObject
{
    public const string Key = "envoy.filters.http.grpc_stats";

    public ulong Requests { get; set; }

    public ulong Responses { get; set; }

    public string SerializeAsString() => string.Create(CultureInfo.InvariantCulture, $"{Requests},{Responses}");

    /// <summary>As protobuf's JSON: 64-bit numbers are text, zeros are left out.</summary>
    public string SerializeAsJson() => Counts().Message.ToJsonText(JsonWriteOptions.CamelCase);

    public Any SerializeAsAny() => Any.Pack(Counts());

    public string? GetField(string name) => name switch
    {
        "request_message_count" => Requests.ToString(CultureInfo.InvariantCulture),
        "response_message_count" => Responses.ToString(CultureInfo.InvariantCulture),
        _ => null,
    };

    private FilterObject Counts()
    {
        var counts = FilterObject.New();
        counts.RequestMessageCount = Requests;
        counts.ResponseMessageCount = Responses;
        return counts;
    }
}
