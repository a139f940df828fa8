using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MeshProxy.Proxy.Transport.Native;

namespace MeshProxy.Proxy.Transport;

/// <summary>
/// One thread, one epoll, one timer wheel. Everything of a connection happens on its loop. The process has a "main" loop
/// (configuration, xDS, health checks, admin) and one loop a worker (traffic). A turn: wait, descriptors that became ready,
/// handlers activated meanwhile (buffered writes), due timers, posted work, deferred work.
/// </summary>
public sealed unsafe class EventLoop : IDisposable
{
    private const int MaxEvents = 256;

    /// <summary>Bytes of struct epoll_event: packed on x64 only.</summary>
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private static readonly int EventDataOffset = EventSize - 8;

    /// <summary>Quiet time after which free buffers are dropped: long enough not to churn under a slow but steady load.</summary>
    private static readonly long TrimAfterMilliseconds = 1000;

    [ThreadStatic]
    private static EventLoop? t_current;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly object _postGate = new();
    private readonly List<IoRegistration> _registrations = [];
    private readonly Stack<int> _freeSlots = new();
    private List<(Action<object?> Work, object? State)> _posted = [];
    private List<(Action<object?> Work, object? State)> _running = [];
    private List<IoActivation> _activated = [];
    private List<IoActivation> _activating = [];
    private List<(Action<object?> Work, object? State)> _deferred = [];
    private List<(Action<object?> Work, object? State)> _deferring = [];
    private bool _wakePending;
    private volatile bool _stopping;
    private bool _trimmed;
    private long _quietSince;
    private long _nowTicks;
    private long _eventTicks;
    private DateTime _utcNow;
    private bool _utcKnown;

    public EventLoop(string name, int index)
    {
        Name = name;
        Index = index;
        _epoll = Libc.EpollCreate(Constants.EpollCloexec);
        _wake = Libc.EventFd(0, Constants.EventFdNonBlock | Constants.EpollCloexec);
        if (_epoll < 0 || _wake < 0)
        {
            throw new IOException($"Cannot create the event loop {name}: errno {Marshal.GetLastPInvokeError()}.");
        }
        Control(Constants.EpollAdd, _wake, Constants.EpollIn, -1);
        ReadClock();
        Timers = new TimerWheel(Now);
    }

    /// <summary>The loop of the calling thread; null on others.</summary>
    public static EventLoop? Current => t_current;

    /// <summary>"main_thread", "worker_0", … as Envoy names its dispatchers (%WORKER_ID%, stats).</summary>
    public string Name { get; }

    /// <summary>0 is the main loop, workers follow; index of per-loop arrays.</summary>
    public int Index { get; }

    /// <summary>Monotonic milliseconds, read once a turn.</summary>
    public long Now => _nowTicks / 1_000_000;

    /// <summary>Monotonic nanoseconds, read once a turn.</summary>
    public long TurnNanoseconds => _nowTicks;

    /// <summary>
    /// Monotonic nanoseconds, for durations that are reported. On a loop the clock is read once for each event that is handled:
    /// a request asks for the time fourteen times, in four events of some microseconds each.
    /// </summary>
    public static long NowNanoseconds
    {
        get
        {
            if (t_current is not { } loop)
            {
                return ReadMonotonic();
            }
            if (loop._eventTicks == 0)
            {
                loop._eventTicks = ReadMonotonic();
            }
            return loop._eventTicks;
        }
    }

    /// <summary>Wall clock, read once a turn when asked.</summary>
    public DateTime UtcNow
    {
        get
        {
            if (!_utcKnown)
            {
                _utcNow = DateTime.UtcNow;
                _utcKnown = true;
            }
            return _utcNow;
        }
    }

    /// <summary>Hears of exceptions that escaped a handler, a timer or posted work: always a bug, to be logged.</summary>
    public Action<Exception>? Fault { get; set; }

    internal TimerWheel Timers { get; }

    /// <summary>Makes the calling thread the loop's own ahead of <see cref="Run"/>, for work that must be done on it first.</summary>
    public void Adopt() => t_current = this;

    /// <summary>Starts a thread that runs the loop until <see cref="Stop"/>.</summary>
    public Thread Start()
    {
        var thread = new Thread(Run) { Name = Name, IsBackground = true };
        thread.Start();
        return thread;
    }

    /// <summary>Runs the loop on the calling thread until <see cref="Stop"/>.</summary>
    public void Run()
    {
        t_current = this;
        var events = stackalloc byte[MaxEvents * EventSize];
        while (!_stopping)
        {
            Turn(events);
        }
        t_current = null;
    }

    /// <summary>Ends <see cref="Run"/> after the current turn; from any thread.</summary>
    public void Stop()
    {
        _stopping = true;
        Wake();
    }

    /// <summary>Runs <paramref name="work"/> on this loop, in order of posting; from any thread.</summary>
    public void Post(Action work) => Post(static state => ((Action)state!)(), work);

    /// <summary>As <see cref="Post(Action)"/> without a closure.</summary>
    public void Post(Action<object?> work, object? state)
    {
        bool wake;
        lock (_postGate)
        {
            _posted.Add((work, state));
            wake = !_wakePending;
            _wakePending = true;
        }
        if (wake && t_current != this)
        {
            Wake();
        }
    }

    /// <summary>Runs <paramref name="work"/> on this loop and waits for it; at once when called on the loop. For start and tests.</summary>
    public void Invoke(Action work)
    {
        if (t_current == this)
        {
            work();
            return;
        }
        using var done = new ManualResetEventSlim();
        Exception? failure = null;
        Post(() =>
        {
            try
            {
                work();
            }
            catch (Exception e)
            {
                failure = e;
            }
            done.Set();
        });
        done.Wait();
        if (failure is not null)
        {
            throw new InvalidOperationException(failure.Message, failure);
        }
    }

    /// <summary>Runs <paramref name="work"/> at the end of this turn (deferred deletion); on the loop only.</summary>
    public void Defer(Action work) => Defer(static state => ((Action)state!)(), work);

    /// <summary>As <see cref="Defer(Action)"/> without a closure.</summary>
    public void Defer(Action<object?> work, object? state) => _deferred.Add((work, state));

    public LoopTimer CreateTimer(Action onFire) => new(this, static action => ((Action)action!)(), onFire);

    /// <summary>As <see cref="CreateTimer(Action)"/> without a delegate of its own, for what is made per request.</summary>
    public LoopTimer CreateTimer(Action<object?> onFire, object? state) => new(this, onFire, state);

    /// <summary>
    /// Watches a descriptor, edge-triggered for both directions: the handler reads and writes until the kernel says EAGAIN.
    /// </summary>
    internal IoRegistration Register(int fd, IIoEventHandler handler, bool readOnly = false)
    {
        var registration = Reserve(handler);
        registration.FileDescriptor = fd;
        var interest = readOnly
            ? Constants.EpollIn
            : Constants.EpollIn | Constants.EpollOut | Constants.EpollReadHangup | Constants.EpollEdge;
        Control(Constants.EpollAdd, fd, interest, registration.Token);
        return registration;
    }

    /// <summary>A registration without a descriptor (in-memory connections): only activations reach its handler.</summary>
    internal IoRegistration RegisterWithoutDescriptor(IIoEventHandler handler) => Reserve(handler);

    internal void Unregister(IoRegistration registration)
    {
        if (registration.Handler is null)
        {
            return;
        }
        if (registration.FileDescriptor >= 0)
        {
            Control(Constants.EpollDelete, registration.FileDescriptor, 0, 0);
        }
        registration.Handler = null;
        registration.FileDescriptor = -1;
        registration.Pending = IoEvents.None;
        registration.Generation++;
        _freeSlots.Push(registration.Slot);
    }

    internal void SetReadInterest(IoRegistration registration, bool enabled) =>
        Control(Constants.EpollModify, registration.FileDescriptor, enabled ? Constants.EpollIn : 0, registration.Token);

    /// <summary>Delivers events to the handler later in this turn (or in the next one, when activated by an activation).</summary>
    internal void Activate(IoRegistration registration, IoEvents events)
    {
        if (registration.Pending == IoEvents.None)
        {
            _activated.Add(new IoActivation(registration, registration.Generation));
        }
        registration.Pending |= events;
    }

    public void Dispose()
    {
        Libc.Close(_wake);
        Libc.Close(_epoll);
    }

    private IoRegistration Reserve(IIoEventHandler handler)
    {
        if (!_freeSlots.TryPop(out var slot))
        {
            slot = _registrations.Count;
            _registrations.Add(new IoRegistration(slot));
        }
        var registration = _registrations[slot];
        registration.Handler = handler;
        return registration;
    }

    private void Turn(byte* events)
    {
        var count = Libc.EpollWait(_epoll, events, MaxEvents, WaitTime());
        ReadClock();
        if (count > 0)
        {
            _trimmed = false;
        }
        for (var i = 0; i < count; i++)
        {
            Dispatch(Unsafe.ReadUnaligned<uint>(events + (i * EventSize)),
                Unsafe.ReadUnaligned<long>(events + (i * EventSize) + EventDataOffset));
        }
        RunActivated();
        RunTimers();
        RunPosted();
        RunDeferred();
    }

    private int WaitTime()
    {
        if (_activated.Count > 0 || _deferred.Count > 0 || _wakePending || _stopping)
        {
            return 0;
        }
        var wait = Timers.UntilNext(ReadMonotonic() / 1_000_000);
        if (_trimmed)
        {
            return wait < 0 ? -1 : (int)Math.Min(wait, int.MaxValue);
        }
        if (wait >= 0 && wait < TrimAfterMilliseconds)
        {
            return (int)wait;
        }
        // A quiet loop holds no buffers: wait once for the trim time, then for as long as it takes.
        return WaitThenTrim();
    }

    private int WaitThenTrim()
    {
        if (_quietSince == 0)
        {
            _quietSince = Now;
        }
        var left = TrimAfterMilliseconds - (Now - _quietSince);
        if (left > 0)
        {
            return (int)left;
        }
        BufferSegment.TrimFree();
        _trimmed = true;
        _quietSince = 0;
        return WaitTime();
    }

    private void Dispatch(uint raw, long token)
    {
        _quietSince = 0;
        if (token < 0)
        {
            long ignored;
            Libc.Read(_wake, &ignored, sizeof(long));
            return;
        }
        var registration = _registrations[(int)(token & 0x7fffffff)];
        if (registration.Handler is null || registration.Token != token)
        {
            return;
        }
        var events = IoEvents.None;
        if ((raw & Constants.EpollIn) != 0)
        {
            events |= IoEvents.Read;
        }
        if ((raw & Constants.EpollOut) != 0)
        {
            events |= IoEvents.Write;
        }
        if ((raw & (Constants.EpollReadHangup | Constants.EpollHangup | Constants.EpollError)) != 0)
        {
            events |= IoEvents.Closed | IoEvents.Read;
        }
        Deliver(registration.Handler, events);
    }

    // A fault in one connection's code must not take the others down: the handler is told, closes itself, the loop goes on.
    private void Deliver(IIoEventHandler handler, IoEvents events)
    {
        _eventTicks = 0;
        try
        {
            handler.OnIoEvents(events);
        }
        catch (Exception fault)
        {
            Fault?.Invoke(fault);
            handler.OnFault(fault);
        }
    }

    private void Guard(Action<object?> work, object? state)
    {
        _eventTicks = 0;
        try
        {
            work(state);
        }
        catch (Exception fault)
        {
            if (Fault is null)
            {
                throw;
            }
            Fault(fault);
        }
    }

    private void RunActivated()
    {
        if (_activated.Count == 0)
        {
            return;
        }
        (_activated, _activating) = (_activating, _activated);
        foreach (var (registration, generation) in _activating)
        {
            if (registration.Generation == generation && registration.Handler is not null)
            {
                var events = registration.Pending;
                registration.Pending = IoEvents.None;
                Deliver(registration.Handler, events);
            }
        }
        _activating.Clear();
    }

    private void RunTimers()
    {
        while (Timers.TakeDue(Now) is { } timer)
        {
            Guard(static state => ((LoopTimer)state!).Fire(), timer);
        }
    }

    private void RunPosted()
    {
        if (!Volatile.Read(ref _wakePending))
        {
            return;
        }
        lock (_postGate)
        {
            (_posted, _running) = (_running, _posted);
            _wakePending = false;
        }
        foreach (var (work, state) in _running)
        {
            Guard(work, state);
        }
        _running.Clear();
    }

    private void RunDeferred()
    {
        if (_deferred.Count == 0)
        {
            return;
        }
        (_deferred, _deferring) = (_deferring, _deferred);
        foreach (var (work, state) in _deferring)
        {
            Guard(work, state);
        }
        _deferring.Clear();
    }

    private void ReadClock()
    {
        _nowTicks = _eventTicks = ReadMonotonic();
        _utcKnown = false;
    }

    // Stopwatch counts nanoseconds on Linux.
    private static long ReadMonotonic() => Stopwatch.GetTimestamp();

    private void Wake()
    {
        var one = 1L;
        Libc.Write(_wake, &one, sizeof(long));
    }

    private void Control(int operation, int fd, uint interest, long token)
    {
        var epollEvent = stackalloc byte[16];
        Unsafe.WriteUnaligned(epollEvent, interest);
        Unsafe.WriteUnaligned(epollEvent + EventDataOffset, token);
        if (Libc.EpollControl(_epoll, operation, fd, epollEvent) != 0 && operation == Constants.EpollAdd)
        {
            throw new IOException($"Cannot watch descriptor {fd}: errno {Marshal.GetLastPInvokeError()}.");
        }
    }

    private readonly record struct IoActivation(IoRegistration Registration, int Generation);
}
