using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability.Tracing;

/// <summary>Finished spans of each loop, sent once there are enough of them or they have waited long enough.</summary>
/// <param name="keys">Prefix of the runtime keys: `tracing.zipkin`.</param>
/// <param name="maxKept">Spans a loop keeps at most; more are dropped.</param>
internal sealed class SpanQueues<T>(
    IReadOnlyList<EventLoop> workers, IRuntime runtime, string keys, int maxKept, Action<List<T>> send, Action onTimer, Action onDropped)
    where T : TracedSpan
{
    /// <summary>Envoy's defaults of min_flush_spans and flush_interval_ms.</summary>
    private const ulong MinFlushSpans = 5;
    private const ulong FlushIntervalMilliseconds = 5000;

    private readonly Queue?[] _queues = new Queue?[workers.Count + 1];
    private readonly string _minimumKey = $"{keys}.min_flush_spans";
    private readonly string _intervalKey = $"{keys}.flush_interval_ms";

    public void Add(T span)
    {
        var loop = EventLoop.Current!;
        var queue = _queues[loop.Index] ??= new Queue(this, loop);
        if (queue.Spans.Count >= maxKept)
        {
            onDropped();
        }
        else
        {
            queue.Spans.Add(span);
        }
        if ((ulong)queue.Spans.Count >= runtime.GetInteger(_minimumKey, MinFlushSpans))
        {
            queue.Flush();
        }
        else
        {
            queue.Wait();
        }
    }

    private sealed class Queue
    {
        private readonly SpanQueues<T> _owner;
        private readonly LoopTimer _timer;
        private bool _waiting;

        public Queue(SpanQueues<T> owner, EventLoop loop)
        {
            _owner = owner;
            _timer = loop.CreateTimer(OnTimer);
        }

        public List<T> Spans { get; private set; } = [];

        public void Wait()
        {
            if (!_waiting)
            {
                _waiting = true;
                _timer.Arm(TimeSpan.FromMilliseconds(_owner.Interval));
            }
        }

        public void Flush()
        {
            if (Spans.Count > 0)
            {
                var spans = Spans;
                Spans = [];
                _owner.Send(spans);
            }
        }

        private void OnTimer()
        {
            _waiting = false;
            _owner.OnTimer();
            Flush();
        }
    }

    private ulong Interval => runtime.GetInteger(_intervalKey, FlushIntervalMilliseconds);

    private void Send(List<T> spans) => send(spans);

    private void OnTimer() => onTimer();
}
