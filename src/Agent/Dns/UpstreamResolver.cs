using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace MeshProxy.Agent.Dns;

/// <summary>Asks the pod's own resolvers, over the protocol that the question came by.</summary>
internal sealed class UpstreamResolver(IReadOnlyList<IPEndPoint> servers)
{
    // Of each resolver, as pilot-agent waits.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private const int LargestDatagram = 65535;

    private readonly IPEndPoint[] _servers = [.. servers];

    /// <summary>The answer as it came, or null when nobody gave one.</summary>
    public async Task<byte[]?> AskAsync(ReadOnlyMemory<byte> query, bool overTcp, CancellationToken stop)
    {
        var servers = (IPEndPoint[])_servers.Clone();
        Random.Shared.Shuffle(servers);
        foreach (var server in servers)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(Patience);
            try
            {
                var answer = overTcp
                    ? await AskTcpAsync(server, query, limit.Token).ConfigureAwait(false)
                    : await AskUdpAsync(server, query, limit.Token).ConfigureAwait(false);
                if (answer is not null)
                    return answer;
            }
            catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
            {
                // The next one may do better.
            }
        }
        return null;
    }

    private static async Task<byte[]?> AskUdpAsync(IPEndPoint server, ReadOnlyMemory<byte> query, CancellationToken stop)
    {
        // Connected: only this server's datagrams come in.
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, stop).ConfigureAwait(false);
        await socket.SendAsync(query, stop).ConfigureAwait(false);
        var buffer = new byte[LargestDatagram];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, stop).ConfigureAwait(false);
            if (length >= DnsQuestion.HeaderLength && buffer.AsSpan(0, 2).SequenceEqual(query.Span[..2]))
                return buffer[..length];
        }
    }

    private static async Task<byte[]?> AskTcpAsync(IPEndPoint server, ReadOnlyMemory<byte> query, CancellationToken stop)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, stop).ConfigureAwait(false);
        await using var stream = new NetworkStream(socket);
        await WriteFrameAsync(stream, query, stop).ConfigureAwait(false);
        return await ReadFrameAsync(stream, stop).ConfigureAwait(false);
    }

    /// <summary>Writes a message over TCP: two bytes of length before it (RFC 1035 section 4.2.2).</summary>
    public static async Task WriteFrameAsync(Stream stream, ReadOnlyMemory<byte> message, CancellationToken stop)
    {
        var frame = new byte[2 + message.Length];
        BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)message.Length);
        message.CopyTo(frame.AsMemory(2));
        await stream.WriteAsync(frame, stop).ConfigureAwait(false);
    }

    /// <summary>Reads a message over TCP, or null at the end.</summary>
    public static async Task<byte[]?> ReadFrameAsync(Stream stream, CancellationToken stop)
    {
        var length = new byte[2];
        if (await stream.ReadAtLeastAsync(length, length.Length, throwOnEndOfStream: false, stop).ConfigureAwait(false) < length.Length)
            return null;
        var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(message, stop).ConfigureAwait(false);
        return message;
    }
}
