using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Istio.Networking.Nds.V1;
using MeshProxy.Agent.Dns;
using Xunit;

namespace MeshProxy.Agent.Tests;

/// <summary>The resolver, asked what is no question: what is one is answered as before.</summary>
public sealed class DnsTests : IDisposable
{
    private const int Seed = 20261124;
    private const int Rounds = 500;

    private readonly int _port = FreePort();
    private readonly DnsProxy _proxy = new("shop.svc.cluster.local", new ResolverSettings([], []), static _ => { });

    public DnsTests()
    {
        var info = NameTable.NameInfo.New();
        info.Ips.Add("10.96.0.11");
        var table = NameTable.New();
        table.Table.Set("web.shop.svc.cluster.local", info);
        _proxy.Update(table);
        _proxy.Start(_port);
    }

    public void Dispose() => _proxy.Dispose();

    [Fact]
    public async Task It_answers_over_datagrams_after_what_it_cannot_read()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(IPAddress.Loopback, _port, limit.Token);
        var random = new Random(Seed);
        for (var i = 0; i < Rounds; i++)
        {
            await socket.SendAsync(Spoil(random, Query((ushort)i)), limit.Token);
            // A query after each, so that none is lost for want of room; answers to spoilt ones come in between.
            const ushort id = 0xffff;
            await socket.SendAsync(Query(id), limit.Token);
            var buffer = new byte[512];
            int length;
            do length = await socket.ReceiveAsync(buffer, limit.Token);
            while (BinaryPrimitives.ReadUInt16BigEndian(buffer) != id);
            Assert.Equal([10, 96, 0, 11], buffer.AsSpan(length - 4, 4).ToArray());
        }
    }

    [Fact]
    public async Task It_answers_over_streams_after_what_it_cannot_read()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var random = new Random(Seed);
        for (var i = 0; i < Rounds / 5; i++)
        {
            using var spoilt = await ConnectAsync(limit.Token);
            await spoilt.SendAsync(Framed(Spoil(random, Query((ushort)i)), i % 2 == 0 ? 0 : random.Next(64)), limit.Token);
        }

        using var socket = await ConnectAsync(limit.Token);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync(Framed(Query(7), 0), limit.Token);
        var head = new byte[2];
        await stream.ReadExactlyAsync(head, limit.Token);
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
        await stream.ReadExactlyAsync(answer, limit.Token);
        Assert.Equal([10, 96, 0, 11], answer[^4..]);
    }

    private static byte[] Query(ushort id)
    {
        var query = new List<byte> { (byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (var label in "web.shop.svc.cluster.local".Split('.'))
            query.AddRange([(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]);
        query.AddRange([0, 0, DnsQuestion.TypeA, 0, DnsQuestion.ClassInternet]);
        return [.. query];
    }

    // Noise, a query that is cut, or one with some bytes changed. Its id stays: that of the good query is another.
    private static byte[] Spoil(Random random, byte[] query)
    {
        switch (random.Next(3))
        {
            case 0:
                random.NextBytes(query.AsSpan(2));
                return query;
            case 1:
                return query[..random.Next(query.Length)];
            default:
                for (var changes = random.Next(1, 6); changes > 0; changes--)
                    query[random.Next(2, query.Length)] = (byte)random.Next(256);
                return query;
        }
    }

    private static byte[] Framed(byte[] query, int tooLong)
    {
        var frame = new byte[query.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)(query.Length + tooLong));
        query.CopyTo(frame, 2);
        return frame;
    }

    private async Task<Socket> ConnectAsync(CancellationToken limit)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, _port, limit);
        return socket;
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
