using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using MeshProxy.Xds.Grpc;

namespace MeshProxy.Agent.Discovery;

/// <summary>A call of gRPC in which both sides send when they like.</summary>
internal sealed class GrpcStream : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly PipeReader _reader;
    private readonly Outgoing _outgoing;

    private GrpcStream(HttpResponseMessage response, PipeReader reader, Outgoing outgoing) =>
        (_response, _reader, _outgoing) = (response, reader, outgoing);

    /// <exception cref="HttpRequestException">The server cannot be reached or refuses.</exception>
    public static async Task<GrpcStream> OpenAsync(HttpClient client, Uri method, IEnumerable<(string Name, string Value)> headers, CancellationToken stop)
    {
        var outgoing = new Outgoing();
        var request = GrpcClient.Request(method, outgoing);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        return new GrpcStream(response, PipeReader.Create(await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false)), outgoing);
    }

    /// <summary>Sends a message; from any thread.</summary>
    public void Send(byte[] message) => _outgoing.Messages.Writer.TryWrite(message);

    /// <summary>The next message, or null at the end.</summary>
    /// <exception cref="HttpRequestException">The call ended otherwise than well.</exception>
    public async ValueTask<byte[]?> ReadAsync(CancellationToken stop)
    {
        if (await GrpcPipe.ReadAsync(_reader, GrpcClient.LargestMessage, stop).ConfigureAwait(false) is { } message)
            return message;
        GrpcClient.ThrowUnlessOk(_response);
        return null;
    }

    public void Dispose()
    {
        _outgoing.Messages.Writer.TryComplete();
        _response.Dispose();
    }

    private sealed class Outgoing : HttpContent
    {
        public Channel<byte[]> Messages { get; } = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken stop)
        {
            // Servers answer with headers before the first message only if they see the request.
            await stream.FlushAsync(stop).ConfigureAwait(false);
            var frame = new ArrayBufferWriter<byte>();
            await foreach (var message in Messages.Reader.ReadAllAsync(stop).ConfigureAwait(false))
            {
                frame.ResetWrittenCount();
                GrpcFrame.Write(frame, message);
                await stream.WriteAsync(frame.WrittenMemory, stop).ConfigureAwait(false);
                await stream.FlushAsync(stop).ConfigureAwait(false);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
