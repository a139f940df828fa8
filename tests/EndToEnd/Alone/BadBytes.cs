using System.Net;
using System.Net.Sockets;

namespace MeshProxy.EndToEnd.Alone;

/// <summary>What nobody in his right mind sends: the same bytes in each run, because the numbers are seeded.</summary>
internal static class BadBytes
{
    private const int Seed = 20261124;
    private const int Longest = 4096;
    private const int PerListener = 80;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // Beginnings of what the listeners speak: cut and corrupted, they come further than noise.
    private static readonly byte[][] Beginnings =
    [
        "POST /path?a=b HTTP/1.1\r\nhost: web\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"u8.ToArray(),
        "GET / HTTP/1.1\r\nhost: web\r\ncontent-length: 10\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello"u8.ToArray(),
        [
            .. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8,
            0, 0, 0, 4, 0, 0, 0, 0, 0, // SETTINGS
            0, 0, 4, 1, 5, 0, 0, 0, 1, 0x82, 0x84, 0x86, 0x41, // HEADERS, its block cut within a literal
            0, 0, 4, 8, 0, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, // WINDOW_UPDATE
        ],
        // A TLS record with the head of a ClientHello (RFC 8446 sections 4.1.2 and 5.1).
        [0x16, 3, 1, 0, 60, 1, 0, 0, 56, 3, 3, .. new byte[32], 0, 0, 2, 0x13, 1, 1, 0, 0, 13, 0, 0, 0, 9, 0, 7, 0, 0, 4, 119, 101, 98],
        "PROXY TCP4 10.0.0.1 10.0.0.2 1234 80\r\nGET / HTTP/1.1\r\nhost: web\r\n\r\n"u8.ToArray(),
        // PROXY protocol version 2: its signature, PROXY over TCP4, twelve bytes.
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 12, 10, 0, 0, 1, 10, 0, 0, 2, 4, 210, 0, 80],
    ];

    /// <summary>Sends all of it, each on a connection of its own, and waits until the server is done with them.</summary>
    public static async Task SendAsync(int port)
    {
        var random = new Random(Seed);
        var texts = Enumerable.Range(0, PerListener).Select(i => Next(random, i)).ToList();
        await Task.WhenAll(texts.Select((bytes, i) => SendAsync(port, bytes, resets: i % 3 == 0)));
    }

    /// <summary>Sends some of it in datagrams, and waits for no answer.</summary>
    public static void SendDatagrams(int port)
    {
        var random = new Random(Seed);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        for (var i = 0; i < PerListener; i++)
            socket.SendTo(Next(random, i), new IPEndPoint(IPAddress.Loopback, port));
    }

    /// <summary>The number i: noise, a beginning that is cut, or one with some bytes changed.</summary>
    public static byte[] Next(Random random, int i)
    {
        if (i % 3 == 0)
        {
            var noise = new byte[random.Next(Longest)];
            random.NextBytes(noise);
            return noise;
        }

        var whole = Beginnings[random.Next(Beginnings.Length)].AsSpan();
        var bytes = whole[..random.Next(whole.Length + 1)].ToArray();
        for (var changes = i % 3 == 1 || bytes.Length == 0 ? 0 : 1 + random.Next(4); changes > 0; changes--)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }

    private static async Task SendAsync(int port, byte[] bytes, bool resets)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), limit.Token);
            await socket.SendAsync(bytes, limit.Token);
            if (resets)
            {
                socket.LingerState = new LingerOption(true, 0);
                return;
            }

            socket.Shutdown(SocketShutdown.Send);
            var buffer = new byte[Longest];
            while (await socket.ReceiveAsync(buffer, limit.Token) > 0)
            {
                // What it answers does not matter here.
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // A server may refuse such bytes in any way, and wait for the rest of them.
        }
    }
}
