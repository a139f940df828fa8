using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using MeshProxy.Xds.Grpc;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Agent.Discovery;

/// <summary>Unary calls of gRPC.</summary>
internal static class GrpcClient
{
    /// <summary>Configurations of large meshes are tens of mebibytes; gRPC's own limit is 4, which Istio lifts as well.</summary>
    public const int LargestMessage = int.MaxValue;

    /// <summary>One request, one answer.</summary>
    /// <exception cref="HttpRequestException">There was no answer, or a status other than 0.</exception>
    /// <exception cref="ProtobufException">The answer is malformed.</exception>
    public static async Task<T> CallAsync<T>(
        HttpClient client, Uri method, Message request, Action<HttpRequestHeaders> headers, CancellationToken stop)
        where T : struct, IMessage<T>
    {
        var frame = new ArrayBufferWriter<byte>();
        GrpcFrame.Write(frame, request.ToBytes());
        using var message = Request(method, new ReadOnlyMemoryContent(frame.WrittenMemory));
        headers(message.Headers);
        using var response = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        var reader = PipeReader.Create(await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false));
        var answer = await GrpcPipe.ReadAsync(reader, LargestMessage, stop).ConfigureAwait(false);
        while (answer is not null && await GrpcPipe.ReadAsync(reader, LargestMessage, stop).ConfigureAwait(false) is not null)
        {
            throw new HttpRequestException("a second answer came where one was expected");
        }
        ThrowUnlessOk(response);
        return answer is null
            ? throw new HttpRequestException("the call ended without an answer")
            : Message.Parse<T>(answer);
    }

    /// <summary>A request of gRPC over HTTP/2, on connections without TLS as well.</summary>
    public static HttpRequestMessage Request(Uri method, HttpContent content)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        var request = new HttpRequestMessage(HttpMethod.Post, method)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.TE.ParseAdd("trailers");
        return request;
    }

    /// <summary>The outcome of a call whose messages have all been read.</summary>
    /// <exception cref="HttpRequestException">It is not "ok".</exception>
    public static void ThrowUnlessOk(HttpResponseMessage response)
    {
        var status = Find(response, "grpc-status");
        if (status == "0")
            return;
        var reason = Uri.UnescapeDataString(Find(response, "grpc-message") ?? "");
        throw new HttpRequestException(string.Create(CultureInfo.InvariantCulture, $"gRPC status {status ?? "unknown"} {reason}").TrimEnd());
    }

    private static string? Find(HttpResponseMessage response, string name) =>
        response.TrailingHeaders.TryGetValues(name, out var trailer) ? trailer.First()
        : response.Headers.TryGetValues(name, out var header) ? header.First()
        : null;
}
