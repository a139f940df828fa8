using MeshProxy.Proxy.Observability.Formatting;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>
/// Entries of one loop that wait to be sent, encoded as elements of a repeated field: whoever sends them only puts the
/// envelope around.
/// </summary>
internal abstract class LogBatch
{
    private readonly BatchSettings _settings;
    private readonly uint _tag;
    private readonly LoopTimer _timer;
    private readonly ByteWriter _entries = new();
    private int _count;
    private bool _waiting;

    /// <param name="field">Number of the repeated field.</param>
    protected LogBatch(EventLoop loop, BatchSettings settings, int field)
    {
        _settings = settings;
        _tag = ((uint)field << 3) | (uint)WireType.LengthDelimited;
        _timer = loop.CreateTimer(OnTimer);
    }

    public void Add(Message entry)
    {
        if (!HasRoom())
        {
            OnDropped();
            return;
        }
        OnAdded();
        Append(entry.ToBytes());
        if (_entries.Length >= _settings.MaxBytes)
        {
            Flush();
        }
        Wait();
    }

    /// <summary>Sends the entries; false keeps them for the next time.</summary>
    protected abstract bool Send(ReadOnlySpan<byte> entries, int count);

    protected virtual void OnAdded()
    {
    }

    protected abstract void OnDropped();

    private bool HasRoom()
    {
        if (_entries.Length >= _settings.Capacity)
        {
            Flush();
        }
        return _entries.Length < _settings.Capacity;
    }

    private void Append(byte[] entry)
    {
        WriteVarint(_tag);
        WriteVarint((uint)entry.Length);
        _entries.Write(entry);
        _count++;
    }

    private void WriteVarint(uint value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            _entries.Write((byte)(value | 0x80));
        }
        _entries.Write((byte)value);
    }

    private void Flush()
    {
        if (_count > 0 && Send(_entries.Written, _count))
        {
            _entries.CutTo(0);
            _count = 0;
        }
    }

    private void Wait()
    {
        if (!_waiting && _count > 0)
        {
            _waiting = true;
            _timer.Arm(_settings.Interval);
        }
    }

    private void OnTimer()
    {
        _waiting = false;
        Flush();
        Wait();
    }
}
