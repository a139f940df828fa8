using MeshProxy.Proxy.Http.Filters.PeerMetadata;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Network.MetadataExchange;

/// <summary>
/// One connection: sends this node's metadata before the first payload of either direction, and takes the peer's off what is
/// read. A peer that sends none (another protocol, no magic number) is passed through unchanged.
/// </summary>
internal sealed class MetadataExchangeFilter(MetadataExchangeConfig config) : IReadFilter, IWriteFilter, IConnectionCallbacks
{
    private IReadFilterCallbacks _read = null!;
    private IWriteFilterCallbacks _write = null!;
    private State _state;
    private bool _isConnected;
    private bool _hasUnsent;
    private uint _bodyLength;

    private enum State
    {
        /// <summary>Nothing was read or written yet: the protocol is not known.</summary>
        Start,
        FixedPart,
        Body,
        Done,
    }

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks)
    {
        _read = callbacks;
        callbacks.Connection.AddCallbacks(this);
    }

    public void InitializeWriteFilterCallbacks(IWriteFilterCallbacks callbacks) => _write = callbacks;

    public FilterStatus OnNewConnection() => FilterStatus.Continue;

    public FilterStatus OnData(ByteBuffer data, bool endStream)
    {
        Begin();
        if (_state == State.FixedPart && !ReadFixedPart(data))
        {
            return Wait(endStream);
        }
        if (_state == State.Body && !ReadBody(data))
        {
            return Wait(endStream);
        }
        return _read.Connection.State == ConnectionState.Open ? FilterStatus.Continue : FilterStatus.StopIteration;
    }

    public FilterStatus OnWrite(ByteBuffer data, bool endStream)
    {
        if (IsHandshaking)
        {
            // A backend that speaks first may do so before TLS has agreed on a protocol: what it says waits until then.
            _hasUnsent = true;
            return FilterStatus.Continue;
        }
        Begin();
        return FilterStatus.Continue;
    }

    public void OnEvent(ConnectionEvent connectionEvent)
    {
        if (connectionEvent != ConnectionEvent.Connected)
        {
            return;
        }
        _isConnected = true;
        if (_hasUnsent)
        {
            Begin();
        }
    }

    public void OnAboveWriteBufferHighWatermark()
    {
    }

    public void OnBelowWriteBufferLowWatermark()
    {
    }

    private bool IsHandshaking => !_isConnected && _read.Connection.Tls is not null;

    private void Begin()
    {
        if (_state != State.Start)
        {
            return;
        }
        if (_read.Connection.NextProtocol != config.Protocol)
        {
            config.Stats.Inc(MetadataExchangeStat.AlpnProtocolNotFound);
            GiveUp();
            return;
        }
        config.Stats.Inc(MetadataExchangeStat.AlpnProtocolFound);
        // Before the write, which may call back.
        _state = State.FixedPart;
        if (_hasUnsent)
        {
            _write.PrependToUnsent(config.Header);
        }
        else
        {
            var header = new ByteBuffer();
            header.Append(config.Header);
            _write.InjectWriteDataToFilterChain(header, false);
        }
        config.Stats.Inc(MetadataExchangeStat.MetadataAdded);
    }

    // More must come. After the peer's end it cannot: what there is is payload.
    private FilterStatus Wait(bool endStream)
    {
        if (!endStream)
        {
            return FilterStatus.StopIteration;
        }
        GiveUp();
        return FilterStatus.Continue;
    }

    private bool ReadFixedPart(ByteBuffer data)
    {
        if (data.Length < ExchangeHeader.FixedLength)
        {
            config.Stats.Inc(MetadataExchangeStat.InitialHeaderNotFound);
            return false;
        }
        if (ExchangeHeader.ReadLength(data.Linearize(ExchangeHeader.FixedLength)) is not { } length)
        {
            config.Stats.Inc(MetadataExchangeStat.InitialHeaderNotFound);
            GiveUp();
            return true;
        }
        if (length > ExchangeHeader.MaxBody)
        {
            config.Stats.Inc(MetadataExchangeStat.HeaderNotFound);
            GiveUp();
            _read.Connection.Close(ConnectionCloseType.NoFlush, "metadata_exchange_too_long");
            return true;
        }
        data.Drain(ExchangeHeader.FixedLength);
        _bodyLength = length;
        _state = State.Body;
        return true;
    }

    private bool ReadBody(ByteBuffer data)
    {
        if (data.Length < _bodyLength)
        {
            return false;
        }
        if (!ExchangeHeader.TryReadBody(data.Linearize((int)_bodyLength), out var peer))
        {
            config.Stats.Inc(MetadataExchangeStat.HeaderNotFound);
            GiveUp();
            return true;
        }
        data.Drain(_bodyLength);
        _state = State.Done;
        if (peer is not null)
        {
            Keep(peer);
        }
        return true;
    }

    private void GiveUp()
    {
        _state = State.Done;
        var info = _read.Connection.StreamInfo;
        var address = config.Downstream ? _read.Connection.Info.RemoteAddress
            : UpstreamPeerAddress.Of(info.Upstream?.Host) ?? _read.Connection.Info.RemoteAddress;
        if (config.Discovery?.Find(address) is { } found)
        {
            Keep(found);
            config.Stats.Inc(MetadataExchangeStat.MetadataAdded);
            return;
        }
        info.FilterState.Set(WorkloadMetadata.NoPeer, NoPeerFound.Instance, FilterStateLifeSpan.Connection);
    }

    private void Keep(WorkloadMetadata peer) => _read.Connection.StreamInfo.FilterState.Set(
        config.Downstream ? WorkloadMetadata.DownstreamPeer : WorkloadMetadata.UpstreamPeer, peer, FilterStateLifeSpan.Connection);
}
