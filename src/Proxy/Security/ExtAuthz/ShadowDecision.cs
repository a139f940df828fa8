using System.Globalization;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Security.ExtAuthz;

/// <summary>What would have been decided: in filter state for filters and logs after this one (shadow_mode).</summary>
/// <param name="StatusCode">Of the answer that was not given; 0 when there was none.</param>
internal sealed record ShadowDecision(CheckStatus Status, int StatusCode) : IFilterStateObject
{
    private string Text => Status switch
    {
        CheckStatus.Ok => "OK",
        CheckStatus.Denied => "DENIED",
        _ => "ERROR",
    };

    public string? SerializeAsString() => SerializeAsJson();

    public string? SerializeAsJson() => StatusCode > 0
        ? string.Create(CultureInfo.InvariantCulture, $"{{\"check_result\":\"{Text}\",\"status_code\":{StatusCode}}}")
        : $"{{\"check_result\":\"{Text}\"}}";

    public string? GetField(string name) => name switch
    {
        "check_result" => Text,
        "status_code" when StatusCode > 0 => StatusCode.ToString(CultureInfo.InvariantCulture),
        _ => null,
    };
}
