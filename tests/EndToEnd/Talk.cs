using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace MeshProxy.EndToEnd;

/// <summary>The client's side of each protocol.</summary>
internal static class Talk
{
    /// <summary>Sends one gRPC message and gives the one that came back; the call must end with status OK.</summary>
    public static async Task<string> GrpcAsync(HttpClient client, string message, string path = "/echo.Echo/Say")
    {
        // Compressed flag and length before each message: gRPC over HTTP/2, "Length-Prefixed-Message".
        var frame = new byte[5 + Encoding.UTF8.GetByteCount(message)];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - 5);
        Encoding.UTF8.GetBytes(message, frame.AsSpan(5));
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frame),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        using var answer = await client.SendAsync(request);
        var body = await answer.Content.ReadAsByteArrayAsync();
        Assert.Equal("0", Assert.Single(answer.TrailingHeaders.GetValues("grpc-status")));
        return Encoding.UTF8.GetString(body.AsSpan(5));
    }

    /// <summary>Sends a text and reads as many bytes back.</summary>
    public static async Task<string> EchoAsync(NetworkStream stream, string text)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text));
        return await ReadAsync(stream, text.Length);
    }

    /// <summary>Reads exactly this many bytes.</summary>
    public static async Task<string> ReadAsync(NetworkStream stream, int count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var buffer = new byte[count];
        await stream.ReadExactlyAsync(buffer, limit.Token);
        return Encoding.ASCII.GetString(buffer);
    }
}
