using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Transport;

/// <summary>The network filters of one connection: read filters in order, write filters from last added to first.</summary>
internal sealed class FilterManager(StreamConnection connection)
{
    private ActiveReadFilter[] _read = [];
    private IWriteFilter[] _write = [];
    private ByteBuffer _current = new();
    private bool _currentEnd;

    public void Add(IReadFilter filter)
    {
        var active = new ActiveReadFilter(this, filter, _read.Length);
        _read = [.. _read, active];
        filter.InitializeReadFilterCallbacks(active);
    }

    public void Add(IWriteFilter filter)
    {
        filter.InitializeWriteFilterCallbacks(new WriteCallbacks(this, _write.Length));
        _write = [.. _write, filter];
    }

    public bool Initialize()
    {
        if (_read.Length == 0)
        {
            return false;
        }
        ContinueFrom(0, new ByteBuffer(), false);
        return connection.State == ConnectionState.Open;
    }

    public void OnRead(ByteBuffer data, bool endStream)
    {
        _current = data;
        _currentEnd = endStream;
        ContinueFrom(0, data, endStream);
    }

    public bool OnWrite(ByteBuffer data, bool endStream)
    {
        for (var i = _write.Length - 1; i >= 0; i--)
        {
            if (_write[i].OnWrite(data, endStream) == FilterStatus.StopIteration)
            {
                return false;
            }
        }
        return true;
    }

    private void ContinueFrom(int index, ByteBuffer data, bool endStream)
    {
        for (var i = index; i < _read.Length; i++)
        {
            var active = _read[i];
            if (!active.Initialized)
            {
                active.Initialized = true;
                if (active.Filter.OnNewConnection() == FilterStatus.StopIteration
                    || connection.State != ConnectionState.Open)
                {
                    return;
                }
            }
            if ((!data.IsEmpty || endStream) && connection.State == ConnectionState.Open)
            {
                if (active.Filter.OnData(data, endStream) == FilterStatus.StopIteration
                    || connection.State != ConnectionState.Open)
                {
                    return;
                }
            }
        }
    }

    private void InjectWrite(int index, ByteBuffer data, bool endStream)
    {
        for (var i = index - 1; i >= 0; i--)
        {
            if (_write[i].OnWrite(data, endStream) == FilterStatus.StopIteration)
            {
                return;
            }
        }
        connection.WriteRaw(data, endStream);
    }

    private sealed class ActiveReadFilter(FilterManager manager, IReadFilter filter, int index) : IReadFilterCallbacks
    {
        public IReadFilter Filter { get; } = filter;

        public bool Initialized { get; set; }

        public Connection Connection => manager.Owner;

        public StreamInfo StreamInfo => manager.Owner.StreamInfo;

        public Upstream.Host? UpstreamHost { get; set; }

        public void ContinueReading() => manager.ContinueFrom(index + 1, manager._current, manager._currentEnd);

        public void InjectReadDataToFilterChain(ByteBuffer data, bool endStream) =>
            manager.ContinueFrom(index + 1, data, endStream);
    }

    private StreamConnection Owner => connection;

    private sealed class WriteCallbacks(FilterManager manager, int index) : IWriteFilterCallbacks
    {
        public Connection Connection => manager.Owner;

        public void InjectWriteDataToFilterChain(ByteBuffer data, bool endStream) =>
            manager.InjectWrite(index, data, endStream);

        public void PrependToUnsent(ReadOnlySpan<byte> data) => manager.Owner.PrependRaw(data);
    }
}
