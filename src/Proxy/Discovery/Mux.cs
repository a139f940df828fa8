using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Observability.Logging;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Discovery;

/// <summary>What both protocols share: the stream and its reopening, pauses, and when requests may be sent.</summary>
internal abstract class Mux : IMux, IDiscoveryStreamCallbacks
{
    /// <summary>Envoy's SubscriptionFactory::RetryInitialDelayMs and RetryMaxDelayMs.</summary>
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LargestRetry = TimeSpan.FromSeconds(30);

    private readonly MuxSettings _settings;
    private readonly StatBlock _stats;
    private readonly TextReadout _identifier;
    private readonly JitteredBackoff _backoff = new(FirstRetry, LargestRetry, Random.Shared);
    private readonly LoopTimer _retry;
    private readonly Dictionary<string, int> _pauses = new(StringComparer.Ordinal);
    private IDiscoveryStream? _stream;
    private bool _started;
    private bool _ended;
    private bool _sending;

    protected Mux(MuxSettings settings)
    {
        _settings = settings;
        var scope = settings.Scope.Scope("control_plane");
        _stats = scope.Block(ControlPlaneStats.Layout);
        _identifier = scope.TextReadout("identifier");
        _stats.Set((int)ControlPlaneStat.ConnectedState, 0);
        _retry = settings.Loop.CreateTimer(Open);
    }

    protected EventLoop Loop => _settings.Loop;

    protected ResourceDecoder Decoder => _settings.Decoder;

    protected bool IsConnected => _stream is not null;

    public void Start()
    {
        if (!_started)
        {
            _started = true;
            Open();
        }
    }

    /// <summary>Ends the stream for good.</summary>
    public void End()
    {
        _ended = true;
        _retry.Disarm();
        _stream?.Reset();
        _stream = null;
    }

    public abstract Watch AddWatch(string typeUrl, IReadOnlyCollection<string> names, IWatchTarget target);

    public abstract void Remove(Watch watch);

    public abstract void OnNamesChanged(Watch watch, IReadOnlyCollection<string> before);

    public IDisposable Pause(string typeUrl)
    {
        _pauses[typeUrl] = _pauses.GetValueOrDefault(typeUrl) + 1;
        return new Resumption(this, typeUrl);
    }

    public void OnMessage(ReadOnlyMemory<byte> message)
    {
        // An answer shows that the server is there: the next failure is the first again.
        _backoff.Reset();
        try
        {
            Receive(message.Span);
        }
        catch (ProtobufException broken)
        {
            _stream?.Reset();
            OnClosed(Http.Grpc.GrpcStatus.Internal, broken.Message);
            return;
        }
        SendPending();
    }

    public void OnClosed(int status, string message)
    {
        _stream = null;
        _stats.Set((int)ControlPlaneStat.ConnectedState, 0);
        _settings.Log?.Warning($"{_settings.Method} stream closed: {status}, {message}");
        OnStreamFailure();
        RetryLater();
    }

    /// <summary>Takes a whole answer, and queues what is to be said to it.</summary>
    /// <exception cref="ProtobufException">It does not parse: the stream cannot go on.</exception>
    protected abstract void Receive(ReadOnlySpan<byte> message);

    /// <summary>A new stream: everything is asked anew.</summary>
    protected abstract void OnStreamOpened();

    protected abstract void OnStreamFailure();

    /// <summary>The next request, with its type's pause minded; null when there is none.</summary>
    protected abstract Message? NextRequest();

    protected bool IsPaused(string typeUrl) => _pauses.ContainsKey(typeUrl);

    protected Node Node => _settings.Node;

    /// <summary>Whether this request carries the node.</summary>
    protected bool TakeNode()
    {
        var first = _first;
        _first = false;
        return first || !_settings.NodeOnFirstOnly;
    }

    private bool _first;

    protected void SetIdentifier(ControlPlane? plane)
    {
        if (plane is { } given)
        {
            _identifier.Set(given.Identifier);
        }
    }

    protected void Refused(string typeUrl, string reason) =>
        _settings.Log?.Warning($"Configuration of type {typeUrl} was refused: {reason}");

    protected void SendPending()
    {
        if (_sending)
        {
            return;
        }
        _sending = true;
        try
        {
            while (_stream is { } stream && NextRequest() is { } request)
            {
                stream.Send(request.ToBytes());
            }
        }
        finally
        {
            _sending = false;
        }
    }

    private void Open()
    {
        if (_ended)
        {
            return;
        }
        _stream = _settings.Streams.Open(_settings.Method, this);
        if (_stream is null)
        {
            OnStreamFailure();
            RetryLater();
            return;
        }
        _first = true;
        _stats.Set((int)ControlPlaneStat.ConnectedState, 1);
        OnStreamOpened();
        SendPending();
    }

    private void RetryLater()
    {
        if (!_ended)
        {
            _retry.Arm(_backoff.Next());
        }
    }

    private void Resume(string typeUrl)
    {
        if (--_pauses[typeUrl] == 0)
        {
            _pauses.Remove(typeUrl);
            SendPending();
        }
    }

    private sealed class Resumption(Mux mux, string typeUrl) : IDisposable
    {
        private bool _done;

        public void Dispose()
        {
            if (!_done)
            {
                _done = true;
                mux.Resume(typeUrl);
            }
        }
    }
}
