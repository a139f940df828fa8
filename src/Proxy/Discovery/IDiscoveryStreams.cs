namespace MeshProxy.Proxy.Discovery;

/// <summary>Opens streams to a control plane; behind it the cluster's connections, or a test's server. Main loop.</summary>
internal interface IDiscoveryStreams
{
    /// <summary>Opens a stream of a method `/service/method`; null when there is nobody to ask now. Callbacks never come before this returns.</summary>
    IDiscoveryStream? Open(string method, IDiscoveryStreamCallbacks callbacks);
}

/// <summary>A bidirectional gRPC stream.</summary>
internal interface IDiscoveryStream
{
    void Send(byte[] message);

    /// <summary>Ends it; no callback follows.</summary>
    void Reset();
}

internal interface IDiscoveryStreamCallbacks
{
    void OnMessage(ReadOnlyMemory<byte> message);

    /// <summary>The stream has ended, for whatever reason.</summary>
    /// <param name="status">gRPC status; 14 (UNAVAILABLE) for a lost connection.</param>
    void OnClosed(int status, string message);
}
