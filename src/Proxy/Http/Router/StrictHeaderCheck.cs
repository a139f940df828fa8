namespace MeshProxy.Proxy.Http.Router;

/// <summary>strict_check_headers: headers that steer the router must be well-formed.</summary>
internal static class StrictHeaderCheck
{
    public static bool IsValid(HeaderMap headers, string name)
    {
        if (headers.GetString(HeaderPrefix.Apply(name)) is not { } value)
        {
            return true;
        }
        return name switch
        {
            "x-envoy-retry-on" => RetryOnParser.TryParseHttp(value, out _),
            "x-envoy-retry-grpc-on" => RetryOnParser.TryParseGrpc(value, out _),
            _ => uint.TryParse(value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out _),
        };
    }
}
