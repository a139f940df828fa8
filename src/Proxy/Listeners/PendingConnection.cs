using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Listeners;

/// <summary>
/// A connection whose listener filters still look at it (Envoy's ActiveTcpSocket). Bytes read here are handed to the
/// connection afterwards, so that nothing is read twice.
/// </summary>
internal sealed class PendingConnection : IListenerFilterCallbacks, IIoEventHandler
{
    private readonly ActiveListener _listener;
    private readonly IReadOnlyList<CompiledListenerFilter> _filters;
    private readonly ByteBuffer _received = new();
    private readonly ListenerFilterBuffer _buffer;
    private LoopTimer? _timer;
    private IListenerFilter? _waiting;
    private int _next;
    private bool _attached;
    private bool _done;
    private bool _inFilter;

    public PendingConnection(
        ActiveListener listener, IIoHandle io, ConnectionInfo info, StreamInfo streamInfo, bool handOff, bool holdsGlobal)
    {
        _listener = listener;
        _filters = listener.Config.ListenerFilters;
        _buffer = new ListenerFilterBuffer(_received);
        Io = io;
        Info = info;
        StreamInfo = streamInfo;
        HandOff = handOff;
        HoldsGlobal = holdsGlobal;
    }

    public IIoHandle Io { get; }

    public ConnectionInfo Info { get; }

    public StreamInfo StreamInfo { get; }

    public bool HandOff { get; private set; }

    /// <summary>Counts against the limit of all listeners.</summary>
    public bool HoldsGlobal { get; }

    /// <summary>The filters looked at bytes that nobody has taken. Envoy leaves them in the kernel, so that closing resets.</summary>
    public bool HasUnread { get; private set; }

    public LinkedListNode<PendingConnection>? Node { get; set; }

    public EventLoop Loop => _listener.Loop;

    public int FileDescriptor => Io.FileDescriptor;

    public void Start() => Run();

    public void UseOriginalDestination(bool value) => HandOff = value;

    public void ContinueFilterChain(bool success)
    {
        if (_done)
        {
            return;
        }
        if (!success)
        {
            Abandon();
            return;
        }
        _waiting = null;
        if (!_inFilter)
        {
            Run();
        }
    }

    /// <summary>Closes the connection without serving it.</summary>
    public void Abandon()
    {
        if (_done)
        {
            return;
        }
        _done = true;
        _timer?.Disarm();
        // Looked at but not taken: the client sees a reset, as with bytes unread in the kernel.
        PushBack();
        _listener.Abandon(this);
    }

    void IIoEventHandler.OnFault(Exception fault) => Abandon();

    void IIoEventHandler.OnIoEvents(IoEvents events)
    {
        if (_done || (events & IoEvents.Read) == 0)
        {
            return;
        }
        ReadAndInspect();
    }

    private void Run()
    {
        while (_waiting is null && _next < _filters.Count)
        {
            var entry = _filters[_next++];
            if (entry.Disabled is { } disabled && disabled(Info))
            {
                continue;
            }
            var filter = entry.Config.Create();
            _inFilter = true;
            var status = filter.OnAccept(this);
            _inFilter = false;
            if (_done)
            {
                return;
            }
            if (status == FilterStatus.StopIteration)
            {
                _waiting = filter;
                Wait();
                return;
            }
        }
        if (_waiting is null && !_done)
        {
            Finish();
        }
    }

    private void Wait()
    {
        if (_timer is null && _listener.Config.ListenerFiltersTimeout > TimeSpan.Zero)
        {
            _timer = Loop.CreateTimer(OnTimeout);
            _timer.Arm(_listener.Config.ListenerFiltersTimeout);
        }
        if (_waiting!.MaxReadBytes == 0)
        {
            return;
        }
        if (!_received.IsEmpty && Inspect())
        {
            return;
        }
        if (!_attached && !_done)
        {
            _attached = true;
            Io.Attach(Loop, this);
        }
    }

    private void ReadAndInspect()
    {
        while (!_done && _waiting is not null)
        {
            var space = _received.ReserveForRead();
            var count = Io.Read(space);
            if (count > 0)
            {
                _received.Commit((int)count);
                Inspect();
                continue;
            }
            _received.ReleaseUnused();
            if (count == -IIoHandle.Again)
            {
                return;
            }
            _waiting.OnClose();
            _listener.Config.Stats.Inc(count == 0 ? ListenerStat.ListenerFilterRemoteClose : ListenerStat.ListenerFilterError);
            Abandon();
        }
    }

    // True once the filter is done with the bytes at hand (whatever it decided).
    private bool Inspect()
    {
        var filter = _waiting!;
        _inFilter = true;
        var status = filter.OnData(_buffer);
        _inFilter = false;
        if (_done)
        {
            return true;
        }
        if (status == FilterStatus.StopIteration && _waiting is not null)
        {
            return false;
        }
        _waiting = null;
        Run();
        return true;
    }

    private void OnTimeout()
    {
        _listener.Config.Stats.Inc(ListenerStat.PreCxTimeout);
        if (!_listener.Config.ContinueOnListenerFiltersTimeout)
        {
            Abandon();
            return;
        }
        _waiting = null;
        _next = _filters.Count;
        Finish();
    }

    private void Finish()
    {
        _done = true;
        _timer?.Disarm();
        PushBack();
        _listener.Promote(this);
    }

    private void PushBack()
    {
        if (!_received.IsEmpty)
        {
            HasUnread = true;
            Io.PushBack(_received);
        }
    }
}
