using BufferSettings = Envoy.Extensions.Filters.Http.ExtAuthz.V3.BufferSettings;

namespace MeshProxy.Proxy.Http.Filters.ExtAuthz;

/// <summary>with_request_body: how much of a body is told to the service.</summary>
internal sealed record RequestBody(uint MaxBytes, bool AllowPartial)
{
    public static RequestBody? Of(BufferSettings? config) =>
        config is { } given ? new RequestBody(given.MaxRequestBytes, given.AllowPartialMessage) : null;
}
