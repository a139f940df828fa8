namespace MeshProxy.Proxy.Http.Grpc;

/// <summary>Hears of a gRPC stream of the proxy's own; on the loop that started it.</summary>
public interface IGrpcStreamCallbacks
{
    void OnInitialMetadata(HeaderMap headers)
    {
    }

    void OnMessage(ReadOnlyMemory<byte> message);

    /// <summary>The last call: the stream ended with a status of <see cref="GrpcStatus"/>.</summary>
    void OnClosed(int status, string message);
}

/// <summary>Hears of one call; exactly one of the two is called, unless it was cancelled.</summary>
public interface IGrpcCallCallbacks
{
    void OnSuccess(ReadOnlyMemory<byte> response);

    void OnFailure(int status, string message);
}
