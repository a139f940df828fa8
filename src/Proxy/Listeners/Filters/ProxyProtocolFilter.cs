using System.Text;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Network.FilterStates;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Listeners.Filters;

/// <summary>The proxy_protocol filter at work on one connection.</summary>
internal sealed class ProxyProtocolFilter(ProxyProtocolConfig config) : IListenerFilter
{
    private IListenerFilterCallbacks _callbacks = null!;

    public int MaxReadBytes => ProxyProtocolHeaderParser.MaxLength;

    public FilterStatus OnAccept(IListenerFilterCallbacks callbacks)
    {
        _callbacks = callbacks;
        return FilterStatus.StopIteration;
    }

    public FilterStatus OnData(ListenerFilterBuffer buffer)
    {
        var data = buffer.Peek();
        if (config.Optional && !ProxyProtocolHeaderParser.MayBeHeader(data, config.AllowV1, config.AllowV2))
        {
            config.Stats.Inc(ProxyProtocolConfig.NotFoundAllowed);
            return FilterStatus.Continue;
        }
        var verdict = ProxyProtocolHeaderParser.Parse(data, out var version, out var header);
        if (version != ProxyProtocolVersion.None && !(version == ProxyProtocolVersion.V1 ? config.AllowV1 : config.AllowV2))
        {
            Count(version, ProxyProtocolConfig.V1Found, ProxyProtocolConfig.V2Found);
            Count(version, ProxyProtocolConfig.V1Disallowed, ProxyProtocolConfig.V2Disallowed);
            return Refuse();
        }
        switch (verdict)
        {
            case ProxyProtocolVerdict.NeedMoreBytes:
                return FilterStatus.StopIteration;
            case ProxyProtocolVerdict.NotFound:
                config.Stats.Inc(ProxyProtocolConfig.NotFoundDisallowed);
                return Refuse();
            case ProxyProtocolVerdict.Malformed:
                Count(version, ProxyProtocolConfig.V1Error, ProxyProtocolConfig.V2Error);
                return Refuse();
            default:
                Count(version, ProxyProtocolConfig.V1Found, ProxyProtocolConfig.V2Found);
                buffer.Drain(header!.Length);
                Take(header);
                return FilterStatus.Continue;
        }
    }

    public void OnClose()
    {
    }

    private void Count(ProxyProtocolVersion version, int v1, int v2) =>
        config.Stats.Inc(version == ProxyProtocolVersion.V1 ? v1 : v2);

    private FilterStatus Refuse()
    {
        _callbacks.ContinueFilterChain(false);
        return FilterStatus.StopIteration;
    }

    private void Take(ProxyProtocolHeaderFacts header)
    {
        var info = _callbacks.Info;
        if (header.Source is { } source && header.Destination is { } destination)
        {
            if (!destination.Equals(info.LocalAddress))
            {
                info.RestoreLocalAddress(destination);
            }
            info.RemoteAddress = source;
        }
        List<KeyValuePair<byte, byte[]>>? passed = null;
        foreach (var tlv in header.Tlvs)
        {
            Publish(tlv);
            if (config.PassedOn?.Invoke(tlv.Key) ?? false)
            {
                (passed ??= []).Add(tlv);
            }
        }
        if (passed is not null)
        {
            _callbacks.StreamInfo.FilterState.Set(
                FilterStateKeys.ProxyProtocolOptions,
                new ProxyProtocolFilterState(new ProxyProtocolData(info.RemoteAddress, info.LocalAddress, passed)),
                FilterStateLifeSpan.Connection);
        }
    }

    private void Publish(KeyValuePair<byte, byte[]> tlv)
    {
        foreach (var rule in config.Rules)
        {
            if (rule.Type != tlv.Key)
            {
                continue;
            }
            var text = rule.Base64 ? Convert.ToBase64String(tlv.Value) : SanitizedText(tlv.Value);
            if (config.IntoFilterState)
            {
                var known = _callbacks.StreamInfo.FilterState.Get<TlvFilterState>(TlvFilterState.Key);
                if (known is null)
                {
                    known = new TlvFilterState();
                    _callbacks.StreamInfo.FilterState.Set(TlvFilterState.Key, known, FilterStateLifeSpan.Connection);
                }
                known.Add(rule.Key, text);
            }
            else
            {
                _callbacks.StreamInfo.DynamicMetadata.Set(rule.Namespace, rule.Key, MetadataValue.From(text));
            }
        }
    }

    // Each byte that is no UTF-8 becomes '!', as Envoy's MessageUtil::sanitizeUtf8String does.
    private static string SanitizedText(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        while (!bytes.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(bytes, out var rune, out var consumed);
            if (status == System.Buffers.OperationStatus.Done)
            {
                text.Append(rune.ToString());
            }
            else
            {
                text.Append('!', consumed);
            }
            bytes = bytes[consumed..];
        }
        return text.ToString();
    }
}

/// <summary>TLVs by the keys of their rules (tlv_location FILTER_STATE).</summary>
internal sealed class TlvFilterState : IFilterStateObject
{
    public const string Key = "envoy.network.proxy_protocol.tlv";

    private readonly SortedDictionary<string, string> _values = new(StringComparer.Ordinal);

    public void Add(string key, string value) => _values[key] = value;

    public string? SerializeAsString() => string.Join(',', _values.Select(static pair => $"{pair.Key}={pair.Value}"));

    public string? GetField(string name) => _values.GetValueOrDefault(name);
}
