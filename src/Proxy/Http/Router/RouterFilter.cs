using System.Globalization;
using System.Text;
using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Http.ConnectionManager;
using MeshProxy.Proxy.Http.Filters;
using MeshProxy.Proxy.Http.Grpc;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>
/// The end of the filter chain: finds the cluster, sends the request, retries, mirrors, times out, and gives the response back
/// (Envoy's Router::Filter). Attempts are <see cref="UpstreamRequest"/>s; more than one lives only while hedging.
/// </summary>
internal sealed partial class RouterFilter(RouterConfig config) : IStreamDecoderFilter
{
    private readonly List<UpstreamRequest> _requests = [];
    private HeaderMap _headers = null!;
    private HeaderMap? _trailers;
    private RouteEntry _route = null!;
    private RouteActionEntry _action = null!;
    private VirtualClusterEntry? _virtualCluster;
    private RetryState? _retry;
    private LoopTimer? _responseTimer;
    private string _altStatPrefix = "";
    private int _timeoutCode = 504;
    private uint _attempts;
    private uint _pendingRetries;
    private long _requestCompleteAt;
    private ulong? _bodyLimit;
    private bool _isGrpc;
    private bool _hedging;
    private bool _isRetry;
    private bool _bufferOverflowed;
    private bool _responseStarted;
    private bool _requestStarted;
    private bool _includeAttempts;
    private bool _cleaned;

    public IStreamDecoderFilterCallbacks Callbacks { get; private set; } = null!;

    public ICluster Cluster { get; private set; } = null!;

    public TimeoutData Timeouts { get; private set; }

    /// <summary>The whole downstream request came.</summary>
    public bool DownstreamComplete { get; private set; }

    /// <summary>The limit of an attempt from connection to end; zero is none.</summary>
    public TimeSpan MaxStreamDuration { get; private set; }

    /// <summary>The cluster's own filters come before the router's.</summary>
    public IReadOnlyList<HttpFilterEntry> UpstreamFilters => Cluster.HttpOptions.Filters ?? config.UpstreamFilters;

    private StreamInfo Info => Callbacks.StreamInfo;

    // What the cluster says goes before what the route says.
    private RetryPolicy Retries => Cluster.HttpOptions.Retry ?? _action.Retry;

    private bool InsertsEnvoyHeaders => !config.SuppressEnvoyHeaders;

    public void SetDecoderFilterCallbacks(IStreamDecoderFilterCallbacks callbacks) => Callbacks = callbacks;

    public void OnDestroy()
    {
        ResetAll();
        StopMirrors();
        Cleanup();
    }

    public FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        _headers = headers;
        _isGrpc = GrpcCommon.IsGrpcRequest(headers);
        Count(RouterStat.RqTotal);
        if (Callbacks.Route is not RouteEntry route)
        {
            Count(RouterStat.NoRoute);
            Info.SetFlag(ResponseFlags.NoRouteFound);
            Callbacks.SendLocalReply(404, default, null, null, ResponseCodeDetails.RouteNotFound);
            return FilterHeadersStatus.StopIteration;
        }
        _route = route;
        if (route.Action is not { } action)
        {
            if (route.Redirect is null && route.DirectResponse is null)
            {
                // non_forwarding_action: a route of no cluster.
                Count(RouterStat.NoCluster);
                Info.SetFlag(ResponseFlags.NoClusterFound);
                Callbacks.SendLocalReply(503, default, null, null, ResponseCodeDetails.ClusterNotFound);
                return FilterHeadersStatus.StopIteration;
            }
            AnswerDirectly(route);
            return FilterHeadersStatus.StopIteration;
        }
        _action = action;
        if (!FindCluster() || !CheckHeaders() || !CheckOverload())
        {
            return FilterHeadersStatus.StopIteration;
        }
        Begin(endStream);
        return FilterHeadersStatus.StopIteration;
    }

    public FilterDataStatus DecodeData(ByteBuffer data, bool endStream)
    {
        if (Cluster is null)
        {
            return FilterDataStatus.StopIterationNoBuffer;
        }
        var buffering = _retry is { Enabled: true } || _action.InternalRedirect is not null;
        if (buffering && (Callbacks.DecodingBuffer?.Length ?? 0) + data.Length > (long)(_bodyLimit ?? ulong.MaxValue))
        {
            buffering = false;
            if (!AbandonBuffering())
            {
                return FilterDataStatus.StopIterationNoBuffer;
            }
        }
        MirrorData(data, endStream);
        if (endStream)
        {
            OnRequestComplete();
        }
        if (!buffering)
        {
            if (_requests.Count > 0)
            {
                _requests[0].SendData(data, endStream);
            }
            return FilterDataStatus.StopIterationNoBuffer;
        }
        if (_requests.Count > 0)
        {
            _requests[0].SendData(Copy(data), endStream);
        }
        Callbacks.AddDecodedData(data, streaming: true);
        return FilterDataStatus.StopIterationNoBuffer;
    }

    public FilterTrailersStatus DecodeTrailers(HeaderMap trailers)
    {
        if (Cluster is null)
        {
            return FilterTrailersStatus.StopIteration;
        }
        _trailers = trailers;
        MirrorTrailers(trailers);
        OnRequestComplete();
        if (_requests.Count > 0)
        {
            _requests[0].SendTrailers(trailers);
        }
        return FilterTrailersStatus.StopIteration;
    }

    private void AnswerDirectly(RouteEntry route)
    {
        var status = route.Redirect?.Status ?? route.DirectResponse!.Status;
        var isRedirect = status is >= 300 and < 400;
        Count(RouterStat.RqDirectResponse);
        var context = new LogContext(_headers, null, null, Info);
        var location = route.Redirect?.Location(_headers, route.Match.Path, context)
            ?? (status == 201 || isRedirect ? DirectUri() : null);
        if (route.Redirect is { ChangesPath: true } && InsertsEnvoyHeaders)
        {
            _headers.Set(KnownHeader.EnvoyOriginalPath, _headers.Get(KnownHeader.Path).ToArray());
        }
        var body = route.DirectResponse?.Body ?? [];
        var format = route.DirectResponse?.Format;
        if (format is not null)
        {
            body = format.Format(context with { LocalReplyBody = Encoding.Latin1.GetString(body) });
        }
        Callbacks.SendLocalReply(status, body, response =>
        {
            if (location is not null)
            {
                response.Add(KnownHeader.Location, Encoding.Latin1.GetBytes(location));
            }
            if (format is not null)
            {
                response.Set(KnownHeader.ContentType, format.ContentType);
            }
            route.FinalizeResponseHeaders(response, new LogContext(_headers, response, null, Info));
        }, null, ResponseCodeDetails.DirectResponse);
    }

    private string DirectUri() =>
        $"{_headers.GetString(KnownHeader.Scheme)}://{_headers.GetString(KnownHeader.Authority)}{_headers.GetString(KnownHeader.Path)}";

    private bool FindCluster()
    {
        _includeAttempts = _route.Vhost.IncludeAttemptCountInResponse;
        if (Callbacks.ClusterInfo is not { } cluster)
        {
            Count(RouterStat.NoCluster);
            Info.SetFlag(ResponseFlags.NoClusterFound);
            Callbacks.SendLocalReply(_action.ClusterNotFoundCode, default, null, null, ResponseCodeDetails.ClusterNotFound);
            return false;
        }
        Cluster = cluster;
        _bodyLimit = _route.BodyBufferLimit is { } own ? own : Callbacks.DecoderBufferLimit is var limit and > 0 ? limit : null;
        if (_route.BodyBufferLimit is { } larger && larger > Callbacks.DecoderBufferLimit)
        {
            Callbacks.DecoderBufferLimit = (uint)Math.Min(larger, uint.MaxValue);
        }
        _virtualCluster = _route.Vhost.VirtualClusterFor(_headers);
        // The catch-all `other` counts, but is no name that somebody gave.
        if (_virtualCluster is { Headers.Length: > 0 })
        {
            Info.VirtualClusterName = _virtualCluster.Name;
        }
        return true;
    }

    private bool CheckHeaders()
    {
        foreach (var name in config.StrictCheckHeaders)
        {
            if (StrictHeaderCheck.IsValid(_headers, name))
            {
                continue;
            }
            Info.SetFlag(ResponseFlags.InvalidEnvoyRequestHeaders);
            var value = _headers.GetString(Encoding.ASCII.GetBytes(name));
            Callbacks.SendLocalReply(400, Encoding.Latin1.GetBytes($"invalid header '{name}' with value '{value}'"), null, null,
                $"{ResponseCodeDetails.StrictCheckFailed}{{{name}}}");
            Cluster = null!;
            return false;
        }
        if (_headers.GetString(KnownHeader.EnvoyUpstreamAltStatName) is { } alternative)
        {
            _altStatPrefix = alternative;
            _headers.Remove(KnownHeader.EnvoyUpstreamAltStatName);
        }
        return true;
    }

    private bool CheckOverload()
    {
        if (config.Runtime.FeatureEnabled(Cluster.MaintenanceModeKey, 0, 100, (ulong)Random.Shared.NextInt64()))
        {
            Info.SetFlag(ResponseFlags.UpstreamOverflow);
            Charge(503, null, null);
            Callbacks.SendLocalReply(503, "maintenance mode"u8, AddOverloaded, null, ResponseCodeDetails.MaintenanceMode);
            Cluster.Traffic.Inc(ClusterStat.UpstreamRqMaintenanceMode);
            return Refused();
        }
        return Cluster.DropOverload() is not { Category: not null } drop || Drop(drop);
    }

    // Apart: its closure would be made for every request.
    private bool Drop(DropDecision drop)
    {
        Info.SetFlag(drop.Unconditional ? ResponseFlags.UnconditionalDropOverload : ResponseFlags.DropOverload);
        Charge(503, null, null);
        Callbacks.SendLocalReply(503, drop.Unconditional ? "unconditional drop overload"u8 : "drop overload"u8, headers =>
        {
            if (InsertsEnvoyHeaders)
            {
                headers.Set(drop.Unconditional ? RouterHeaders.UnconditionalDropOverload : RouterHeaders.DropOverload, "true"u8);
            }
            ModifyHeaders(headers);
        }, null, drop.Unconditional ? ResponseCodeDetails.UnconditionalDropOverload : ResponseCodeDetails.DropOverload);
        return Refused();
    }

    private bool Refused()
    {
        Cluster = null!;
        return false;
    }

    private void Begin(bool endStream)
    {
        _attempts = 1;
        Info.AttemptCount = 1;
        _hedging = HedgesFor(_headers);
        Timeouts = TimeoutData.Decide(_action, Retries, _headers, InsertsEnvoyHeaders, _isGrpc, _hedging, config.RespectExpectedTimeout);
        MaxStreamDuration = Cluster.HttpOptions.MaxStreamDuration;
        if (_headers.Contains(KnownHeader.EnvoyUpstreamStreamDurationMs))
        {
            if (TimeoutData.TryParse(_headers, KnownHeader.EnvoyUpstreamStreamDurationMs, out var duration))
            {
                MaxStreamDuration = duration;
            }
            _headers.Remove(KnownHeader.EnvoyUpstreamStreamDurationMs);
        }
        if (_headers.Remove(RouterHeaders.TimeoutAltResponse) > 0)
        {
            _timeoutCode = 204;
        }
        if (_route.Vhost.IncludeAttemptCount)
        {
            _headers.Set(KnownHeader.EnvoyAttemptCount, _attempts);
        }
        RequestPreparation.Finalize(_route, _headers, Info, InsertsEnvoyHeaders);
        SetAutoSni();
        _retry = RetryState.Create(Retries, _route, _headers, Cluster, _virtualCluster, Callbacks.Loop, config.Runtime, this);
        var mirrored = PrepareMirrors(endStream);
        if (!StartAttempt(endStream))
        {
            return;
        }
        if (mirrored is not null)
        {
            StartMirrors(mirrored, endStream);
        }
        if (endStream)
        {
            OnRequestComplete();
        }
    }

    private bool HedgesFor(HeaderMap headers)
    {
        var asked = headers.Get(KnownHeader.EnvoyHedgeOnPerTryTimeout);
        return asked.SequenceEqual("true"u8) || (!asked.SequenceEqual("false"u8) && _action.HedgeOnPerTryTimeout);
    }

    // auto_sni and auto_san_validation take the name from the authority, or the header configured.
    private void SetAutoSni()
    {
        var options = Cluster.HttpOptions;
        if (!options.AutoSni && !options.AutoSanValidation)
        {
            return;
        }
        var header = options.OverrideAutoSniHeader.Length > 0 ? Encoding.ASCII.GetBytes(options.OverrideAutoSniHeader) : null;
        var value = header is null ? null : _headers.GetString(header);
        var host = Encoding.Latin1.GetBytes(value is { Length: > 0 } ? value : _headers.GetString(KnownHeader.Authority) ?? "");
        var colon = HeaderUtility.PortStart(host);
        var name = Encoding.Latin1.GetString(colon < 0 ? host : host.AsSpan(0, colon)).ToLowerInvariant();
        if (options.AutoSni && name.Length > 0 && !System.Net.IPAddress.TryParse(name.Trim('[', ']'), out _)
            && Info.FilterState.Get("envoy.network.upstream_server_name") is null)
        {
            Info.FilterState.Set("envoy.network.upstream_server_name", new StringFilterState(name));
        }
        if (options.AutoSanValidation && name.Length > 0 && Info.FilterState.Get("envoy.network.upstream_subject_alt_names") is null)
        {
            Info.FilterState.Set("envoy.network.upstream_subject_alt_names", new StringFilterState(name.Trim('[', ']')));
        }
    }

    // Chooses an endpoint and sends it the request; answers and returns false when there is none.
    private bool StartAttempt(bool endStream)
    {
        var choice = Cluster.ChooseHost(this);
        if (choice.Host is not { } host)
        {
            SendNoHealthyUpstream(choice.Details);
            return false;
        }
        var request = new UpstreamRequest(this, ChildSpan());
        if (_action.Connect is { } termination && TerminatesConnect(termination))
        {
            if (Cluster.TcpPool(host, _action.Priority, this) is not { } tcp)
            {
                SendNoHealthyUpstream("");
                return false;
            }
            _requests.Insert(0, request);
            request.Start(tcp, _headers, endStream, termination);
            return true;
        }
        if (Cluster.HttpPool(host, _action.Priority, Info.Protocol, this) is not { } pool)
        {
            SendNoHealthyUpstream("");
            return false;
        }
        _requests.Insert(0, request);
        request.Start(pool, _headers, endStream);
        return true;
    }

    private bool TerminatesConnect(ConnectTermination termination) =>
        _headers.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8)
        || (termination.AllowPost && _headers.Get(KnownHeader.Method).SequenceEqual("POST"u8));

    // Null: the attempts have no spans of their own, and pass the request's on.
    private ISpan? ChildSpan()
    {
        var parent = Callbacks.ActiveSpan;
        if (!config.StartChildSpan && parent.Settings is not { SpawnsUpstreamSpan: true })
        {
            return null;
        }
        var child = parent.SpawnChild($"router {Cluster.ObservabilityName} egress", DateTime.UtcNow);
        if (_attempts > 1)
        {
            // From the second attempt on, as Envoy counts them.
            child.SetTag("retry.count", (_attempts - 1).ToString(CultureInfo.InvariantCulture));
        }
        return child;
    }

    private void SendNoHealthyUpstream(string details)
    {
        Info.SetFlag(ResponseFlags.NoHealthyUpstream);
        Charge(503, null, null);
        var reason = details.Length == 0 ? ResponseCodeDetails.NoHealthyUpstream : details;
        Callbacks.SendLocalReply(503, "no healthy upstream"u8, ModifyHeaders, null, reason);
    }

    private void OnRequestComplete()
    {
        DownstreamComplete = true;
        _requestCompleteAt = EventLoop.NowNanoseconds;
        // It may have been reset at once.
        if (_requests.Count == 0)
        {
            return;
        }
        if (Timeouts.Global > TimeSpan.Zero)
        {
            _responseTimer = Callbacks.Loop.CreateTimer(static router => ((RouterFilter)router!).OnResponseTimeout(), this);
            _responseTimer.Arm(Timeouts.Global);
        }
        foreach (var request in _requests)
        {
            request.OnDownstreamComplete();
        }
    }

    // The body grows beyond what may be kept: the attempt under way is the last. False when none is under way.
    private bool AbandonBuffering()
    {
        Cluster.Traffic.Inc(ClusterStat.RetryOrShadowAbandoned);
        _retry?.Stop();
        _retry = null;
        _bufferOverflowed = true;
        if (_requests.Count > 0)
        {
            return true;
        }
        Cleanup();
        Callbacks.SendLocalReply(507, "exceeded request buffer limit while retrying upstream"u8, ModifyHeaders, null,
            ResponseCodeDetails.RequestPayloadExceededRetryBuffer);
        return false;
    }

    /// <summary>The back-off of a retry is over.</summary>
    public void Retry(bool isTimeout)
    {
        _isRetry = true;
        _attempts++;
        Info.AttemptCount = (int)_attempts;
        _pendingRetries--;
        if (config.Clusters.Get(_route.ClusterName ?? "") is not { } cluster)
        {
            SendNoHealthyUpstream("");
            Cleanup();
            return;
        }
        Cluster = cluster;
        if (_route.Vhost.IncludeAttemptCount)
        {
            _headers.Set(KnownHeader.EnvoyAttemptCount, _attempts);
        }
        if (_route.Vhost.IncludeIsTimeoutRetry)
        {
            _headers.Set(RouterHeaders.IsTimeoutRetry, isTimeout ? "true"u8 : "false"u8);
        }
        var elapsed = _requestCompleteAt == 0 ? 0 : (EventLoop.NowNanoseconds - _requestCompleteAt) / 1_000_000;
        Timeouts.SetHeaders(TimeSpan.FromMilliseconds(elapsed), _action, _headers, InsertsEnvoyHeaders, _isGrpc, _hedging);
        Resend();
    }

    private void Resend()
    {
        var body = Callbacks.DecodingBuffer;
        var endStream = (body is null || body.IsEmpty) && _trailers is null && DownstreamComplete;
        if (!StartAttempt(endStream))
        {
            Cleanup();
            return;
        }
        if (endStream || _requests.Count == 0)
        {
            return;
        }
        var request = _requests[0];
        if (body is { IsEmpty: false })
        {
            request.SendData(Copy(body), DownstreamComplete && _trailers is null);
        }
        if (_trailers is not null)
        {
            request.SendTrailers(_trailers);
        }
    }

    private void AddOverloaded(HeaderMap headers)
    {
        if (InsertsEnvoyHeaders)
        {
            headers.Set(KnownHeader.EnvoyOverloaded, "true"u8);
        }
        ModifyHeaders(headers);
    }

    private void ModifyHeaders(HeaderMap headers)
    {
        if (_includeAttempts)
        {
            headers.Set(KnownHeader.EnvoyAttemptCount, _attempts);
        }
    }

    private void Count(RouterStat stat) => config.Stats.Inc((int)stat);

    private static ByteBuffer Copy(ByteBuffer data)
    {
        var copy = new ByteBuffer();
        foreach (var segment in data)
        {
            copy.Append(segment.Span);
        }
        return copy;
    }

    private void ResetAll()
    {
        while (_requests.Count > 0)
        {
            var request = _requests[^1];
            _requests.RemoveAt(_requests.Count - 1);
            request.Reset();
        }
    }

    private void Cleanup()
    {
        if (_cleaned)
        {
            return;
        }
        _cleaned = true;
        _retry?.Stop();
        _retry = null;
        _responseTimer?.Disarm();
    }
}
