using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.Fault;

/// <summary>Lets a body out at a rate: a slice each 50 ms (Envoy's StreamRateLimiter divides a second by 20).</summary>
internal sealed class ResponseThrottle(IStreamEncoderFilterCallbacks callbacks, ulong kibPerSecond)
{
    private const int SlicesPerSecond = 20;

    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(1000.0 / SlicesPerSecond);

    private readonly ByteBuffer _buffer = new();
    private readonly long _bytesPerSlice = Math.Max(1, (long)(kibPerSecond * 1024 / SlicesPerSecond));
    private LoopTimer? _timer;
    private bool _ended;
    private bool _endSent;
    private bool _trailersWait;
    private bool _aboveWatermark;

    public void Write(ByteBuffer data, bool endStream)
    {
        _buffer.MoveFrom(data);
        _ended |= endStream;
        if (!_aboveWatermark && callbacks.EncoderBufferLimit > 0 && _buffer.Length > callbacks.EncoderBufferLimit)
        {
            _aboveWatermark = true;
            callbacks.OnEncoderFilterAboveWriteBufferHighWatermark();
        }
        _timer ??= callbacks.Loop.CreateTimer(OnTick);
        if (!_timer.IsArmed)
        {
            _timer.Arm(TimeSpan.Zero);
        }
    }

    /// <summary>True when nothing of the body waits before them.</summary>
    public bool OnTrailers()
    {
        _trailersWait = !_buffer.IsEmpty;
        return !_trailersWait;
    }

    public void Destroy() => _timer?.Disarm();

    private void OnTick()
    {
        var part = new ByteBuffer();
        part.MoveFrom(_buffer, Math.Min(_buffer.Length, _bytesPerSlice));
        if (_aboveWatermark && _buffer.Length <= callbacks.EncoderBufferLimit / 2)
        {
            _aboveWatermark = false;
            callbacks.OnEncoderFilterBelowWriteBufferLowWatermark();
        }
        if (!_buffer.IsEmpty)
        {
            _timer!.Arm(Slice);
        }
        var end = _ended && _buffer.IsEmpty && !_endSent;
        _endSent |= end;
        callbacks.InjectEncodedDataToFilterChain(part, end);
        if (_trailersWait && _buffer.IsEmpty)
        {
            _trailersWait = false;
            callbacks.ContinueEncoding();
        }
    }
}
