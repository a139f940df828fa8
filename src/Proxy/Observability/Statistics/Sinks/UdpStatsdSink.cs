using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MeshProxy.Proxy.Observability.Statistics.Sinks;

/// <summary>statsd over datagrams: what the kernel does not take is lost.</summary>
internal sealed class UdpStatsdSink : IStatsSink
{
    private readonly StatsdFormat _format;
    private readonly ulong _maxBytes;
    private readonly EndPoint _address;
    private readonly Socket _socket;

    /// <param name="maxBytes">Lines share a datagram up to this size (max_bytes_per_datagram); 0 sends each by itself.</param>
    public UdpStatsdSink(StatsdFormat format, EndPoint address, ulong maxBytes)
    {
        _format = format;
        _maxBytes = maxBytes;
        _address = address;
        _socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
    }

    public void Flush(StatsSnapshot snapshot)
    {
        var datagram = new StringBuilder();
        foreach (var stat in snapshot.Stats)
        {
            if (_format.Line(stat) is { } line)
            {
                Add(datagram, line);
            }
        }
        Send(datagram);
    }

    public void OnSample(StoreHistogram histogram, ulong sample) => Send(_format.Line(histogram, sample));

    private void Add(StringBuilder datagram, string line)
    {
        if ((ulong)line.Length >= _maxBytes)
        {
            Send(line);
            return;
        }
        if ((ulong)(datagram.Length + line.Length + 1) > _maxBytes)
        {
            Send(datagram);
        }
        else if (datagram.Length > 0)
        {
            datagram.Append('\n');
        }
        datagram.Append(line);
    }

    private void Send(StringBuilder datagram)
    {
        if (datagram.Length > 0)
        {
            Send(datagram.ToString());
            datagram.Clear();
        }
    }

    private void Send(string text)
    {
        try
        {
            _socket.SendTo(Encoding.UTF8.GetBytes(text), _address);
        }
        catch (SocketException)
        {
            // Nobody listens, or the buffer is full: statistics are sent again soon.
        }
    }
}
