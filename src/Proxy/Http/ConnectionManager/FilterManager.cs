using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>
/// Runs the filters of one stream: decoder filters in configured order on the request, encoder filters in reverse on the
/// response; keeps what a stopped filter holds back and answers locally (Envoy's FilterManager).
/// </summary>
internal sealed partial class FilterManager(IFilterManagerCallbacks owner) : IFilterChainBuilder
{
    private readonly List<ActiveDecoderFilter> _decoders = [];
    private readonly List<ActiveEncoderFilter> _encoders = [];
    private List<IAccessLog>? _accessLogs;
    // One attempt listens, unless it is hedged: the list is for the others.
    private IDownstreamWatermarkCallbacks? _watermarkCallback;
    private List<IDownstreamWatermarkCallbacks>? _watermarkCallbacks;
    private string _addingFilter = "";
    private FilterCall _call;
    private bool _decodersStreaming;
    private bool _encodersStreaming;
    private bool _requestAboveLimit;
    private bool _responseAboveLimit;
    private int _highWatermarks;
    private PreparedReply? _preparedReply;
    private bool _destroyed;

    /// <summary>Which callbacks of filters are on the stack.</summary>
    [Flags]
    private enum FilterCall
    {
        None = 0,
        DecodeHeaders = 1,
        DecodeData = 2,
        DecodeTrailers = 4,
        EncodeHeaders = 8,
        EncodeData = 16,
        EncodeTrailers = 32,
        Encode1xx = 64,
        Decoding = DecodeHeaders | DecodeData | DecodeTrailers,
        Encoding = EncodeHeaders | EncodeData | EncodeTrailers | Encode1xx,
    }

    public IFilterManagerCallbacks Owner { get; } = owner;

    public EventLoop Loop => Owner.Loop;

    public bool Proxy100Continue { get; init; }

    /// <summary>Bytes a stopped filter may hold per direction; 0 is no limit.</summary>
    public uint BufferLimit { get; set; }

    public ByteBuffer? BufferedRequest { get; set; }

    public ByteBuffer? BufferedResponse { get; set; }

    /// <summary>The whole request came.</summary>
    public bool DecodeComplete { get; set; }

    /// <summary>The end of the response entered the encoder filters.</summary>
    public bool EncodeEndObserved { get; private set; }

    /// <summary>Nothing more is to be encoded: the response ended, or the stream was reset.</summary>
    public bool EncodeEnded { get; set; }

    public bool DecoderChainAborted { get; private set; }

    public bool EncoderChainAborted { get; private set; }

    /// <summary>Final headers left the encoder filters.</summary>
    public bool FinalHeadersEncoded { get; private set; }

    public bool SawDownstreamReset { get; set; }

    public bool HasFilters => _decoders.Count > 0 || _encoders.Count > 0;

    /// <summary>Those of filters; null when no filter has one.</summary>
    public List<IAccessLog>? AccessLogs => _accessLogs;

    public (string Address, bool Strict)? UpstreamOverrideHost { get; set; }

    public bool IsHeadRequest { get; set; }

    public bool IsGrpcRequest { get; set; }

    public bool StopDecoderFilterChain => DecoderChainAborted || EncodeEnded || _destroyed;

    /// <summary>The filters added until the next call belong to this entry of the configuration.</summary>
    public void BeginFilter(string name) => _addingFilter = name;

    public void AddDecoderFilter(IStreamDecoderFilter filter) => AddDecoder(filter, dual: false);

    public void AddEncoderFilter(IStreamEncoderFilter filter) => AddEncoder(filter, dual: false);

    public void AddFilter<T>(T filter)
        where T : IStreamDecoderFilter, IStreamEncoderFilter
    {
        AddDecoder(filter, dual: true);
        AddEncoder(filter, dual: true);
    }

    public void AddAccessLog(IAccessLog log) => (_accessLogs ??= []).Add(log);

    /// <summary>Encoder filters run in reverse order of configuration, so the list is turned once all are there.</summary>
    public void ChainComplete()
    {
        _encoders.Reverse();
        for (var i = 0; i < _encoders.Count; i++)
        {
            _encoders[i].Position = i;
        }
    }

    private void AddDecoder(IStreamDecoderFilter filter, bool dual)
    {
        var active = new ActiveDecoderFilter(this, filter, _addingFilter, dual) { Position = _decoders.Count };
        _decoders.Add(active);
        filter.SetDecoderFilterCallbacks(active);
    }

    private void AddEncoder(IStreamEncoderFilter filter, bool dual)
    {
        var active = new ActiveEncoderFilter(this, filter, _addingFilter, dual);
        _encoders.Add(active);
        filter.SetEncoderFilterCallbacks(active);
    }

    public void OnStreamComplete()
    {
        foreach (var decoder in _decoders)
        {
            decoder.Filter.OnStreamComplete();
        }
        foreach (var encoder in _encoders)
        {
            if (!encoder.IsDual)
            {
                encoder.Filter.OnStreamComplete();
            }
        }
    }

    public void DestroyFilters()
    {
        if (_destroyed)
        {
            return;
        }
        _destroyed = true;
        foreach (var decoder in _decoders)
        {
            decoder.Filter.OnDestroy();
        }
        foreach (var encoder in _encoders)
        {
            if (!encoder.IsDual)
            {
                encoder.Filter.OnDestroy();
            }
        }
        BufferedRequest?.Clear();
        BufferedResponse?.Clear();
    }

    public void AddDownstreamWatermarkCallbacks(IDownstreamWatermarkCallbacks callbacks)
    {
        if (_watermarkCallback is null)
        {
            _watermarkCallback = callbacks;
        }
        else
        {
            (_watermarkCallbacks ??= []).Add(callbacks);
        }
        for (var i = 0; i < _highWatermarks; i++)
        {
            callbacks.OnAboveWriteBufferHighWatermark();
        }
    }

    public void RemoveDownstreamWatermarkCallbacks(IDownstreamWatermarkCallbacks callbacks)
    {
        if (ReferenceEquals(_watermarkCallback, callbacks))
        {
            _watermarkCallback = null;
        }
        else
        {
            _watermarkCallbacks?.Remove(callbacks);
        }
    }

    /// <summary>The client (or a filter that holds the response) takes no more for now.</summary>
    public void CallHighWatermarkCallbacks()
    {
        _highWatermarks++;
        _watermarkCallback?.OnAboveWriteBufferHighWatermark();
        foreach (var callbacks in _watermarkCallbacks?.ToArray() ?? [])
        {
            callbacks.OnAboveWriteBufferHighWatermark();
        }
    }

    public void CallLowWatermarkCallbacks()
    {
        _highWatermarks--;
        _watermarkCallback?.OnBelowWriteBufferLowWatermark();
        foreach (var callbacks in _watermarkCallbacks?.ToArray() ?? [])
        {
            callbacks.OnBelowWriteBufferLowWatermark();
        }
    }

    public void CheckRequestLimit(ActiveDecoderFilter filter)
    {
        if (BufferLimit == 0 || _requestAboveLimit || BufferedRequest!.Length <= BufferLimit)
        {
            return;
        }
        _requestAboveLimit = true;
        if (_decodersStreaming)
        {
            Owner.OnDecoderFilterAboveWriteBufferHighWatermark();
            return;
        }
        Owner.OnRequestTooLarge();
        filter.SendLocalReply(413, "Payload Too Large"u8, null, null, ResponseCodeDetails.RequestPayloadTooLarge);
    }

    public void CheckRequestDrained()
    {
        if (_requestAboveLimit && BufferedRequest!.Length <= BufferLimit / 2)
        {
            _requestAboveLimit = false;
            if (_decodersStreaming)
            {
                Owner.OnDecoderFilterBelowWriteBufferLowWatermark();
            }
        }
    }

    public void CheckResponseLimit(ActiveEncoderFilter filter)
    {
        if (BufferLimit == 0 || _responseAboveLimit || BufferedResponse!.Length <= BufferLimit)
        {
            return;
        }
        _responseAboveLimit = true;
        if (_encodersStreaming)
        {
            CallHighWatermarkCallbacks();
            return;
        }
        Owner.OnResponseTooLarge();
        filter.SendLocalReply(500, "Internal Server Error"u8, null, null, ResponseCodeDetails.ResponsePayloadTooLarge);
    }

    public void CheckResponseDrained()
    {
        if (_responseAboveLimit && BufferedResponse!.Length <= BufferLimit / 2)
        {
            _responseAboveLimit = false;
            if (_encodersStreaming)
            {
                CallLowWatermarkCallbacks();
            }
        }
    }

    /// <summary>Only when the whole request came and nothing of it has been consumed beyond what is buffered here.</summary>
    public bool RecreateStream(HeaderMap? originalResponseHeaders)
    {
        // Filters that looked at the response would see another one; so this is refused once encoding began.
        if (!DecodeComplete || FinalHeadersEncoded)
        {
            return false;
        }
        return Owner.RecreateStream(originalResponseHeaders);
    }
}
