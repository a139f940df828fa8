namespace MeshProxy.Proxy.Http.Filters.StatefulSession;

/// <summary>Names the session's endpoint to the load balancer, and to the client the endpoint it got.</summary>
internal sealed class StatefulSessionFilter(SessionSettings own) : PassThroughFilter
{
    private SessionState? _state;
    private string? _asked;

    public override FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        var settings = Decoder.MostSpecificPerFilterConfig<SessionSettings>() ?? own;
        if (settings.State is not { } state || !state.AppliesTo(headers.Get(KnownHeader.Path)))
        {
            return FilterHeadersStatus.Continue;
        }
        _state = state;
        _asked = state.Read(headers);
        if (_asked is not null)
        {
            Decoder.UpstreamOverrideHost = (_asked, settings.Strict);
        }
        return FilterHeadersStatus.Continue;
    }

    public override FilterHeadersStatus EncodeHeaders(HeaderMap headers, bool endStream)
    {
        if (_state is not null && Encoder.StreamInfo.Upstream?.Host is { } host && host.AddressText != _asked)
        {
            _state.Write(headers, host.AddressText);
        }
        return FilterHeadersStatus.Continue;
    }
}
