using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Network;

/// <summary>Closes the connection at once: stands where something that may protect could not be built or has not come.</summary>
internal sealed class ClosingFilter(string details) : IReadFilter
{
    private IReadFilterCallbacks _callbacks = null!;

    public void InitializeReadFilterCallbacks(IReadFilterCallbacks callbacks) => _callbacks = callbacks;

    public FilterStatus OnNewConnection()
    {
        _callbacks.StreamInfo.ResponseCodeDetails = details;
        _callbacks.Connection.Close(ConnectionCloseType.NoFlush);
        return FilterStatus.StopIteration;
    }

    public FilterStatus OnData(ByteBuffer data, bool endStream) => FilterStatus.StopIteration;
}
