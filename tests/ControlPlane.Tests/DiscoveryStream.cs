using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using MeshProxy.Xds.Grpc;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.ControlPlane.Tests;

/// <summary>A stream of gRPC as a proxy opens it, over HTTP/2.</summary>
internal sealed class DiscoveryStream : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly HttpClient _client;
    private readonly Outgoing _outgoing = new();
    private HttpResponseMessage? _response;
    private PipeReader? _reader;

    private DiscoveryStream(X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        if (certificate is not null)
            handler.SslOptions.ClientCertificates = [certificate];
        _client = new HttpClient(handler);
    }

    public static async Task<DiscoveryStream> OpenAsync(Uri server, string method, X509Certificate2? certificate = null)
    {
        var stream = new DiscoveryStream(certificate);
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = stream._outgoing,
        };
        stream._response = await stream._client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);
        stream._reader = PipeReader.Create(await stream._response.Content.ReadAsStreamAsync());
        return stream;
    }

    public void Send(Message message) => _outgoing.Messages.Writer.TryWrite(message.ToBytes());

    public void Finish() => _outgoing.Messages.Writer.TryComplete();

    /// <summary>The next message, or null at the end.</summary>
    public async Task<T?> ReceiveAsync<T>()
        where T : struct, IMessage<T>
    {
        while (true)
        {
            var result = await _reader!.ReadAsync().AsTask().WaitAsync(Patience);
            var buffer = result.Buffer;
            if (GrpcFrame.TryRead(ref buffer, int.MaxValue, out var bytes))
            {
                var message = Message.Parse<T>(bytes.ToArray());
                _reader.AdvanceTo(buffer.Start);
                return message;
            }
            _reader.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
                return null;
        }
    }

    /// <summary>The outcome, once everything was received.</summary>
    public string Status => _response!.TrailingHeaders.GetValues("grpc-status").Single();

    public async ValueTask DisposeAsync()
    {
        Finish();
        _response?.Dispose();
        _client.Dispose();
        await ValueTask.CompletedTask;
    }

    private sealed class Outgoing : HttpContent
    {
        public Outgoing() => Headers.ContentType = new("application/grpc");

        public Channel<byte[]> Messages { get; } = Channel.CreateUnbounded<byte[]>();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            await foreach (var message in Messages.Reader.ReadAllAsync())
            {
                var frame = new ArrayBufferWriter<byte>();
                GrpcFrame.Write(frame, message);
                await stream.WriteAsync(frame.WrittenMemory);
                await stream.FlushAsync();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
