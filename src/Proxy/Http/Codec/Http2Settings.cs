namespace MeshProxy.Proxy.Http.Codec;

/// <summary>Http2ProtocolOptions, compiled; defaults are Envoy 1.40's.</summary>
public sealed record Http2Settings
{
    public uint HpackTableSize { get; init; } = 4096;

    public uint MaxConcurrentStreams { get; init; } = 1024;

    public uint InitialStreamWindowSize { get; init; } = 16 * 1024 * 1024;

    public uint InitialConnectionWindowSize { get; init; } = 24 * 1024 * 1024;

    public bool AllowConnect { get; init; }

    public uint MaxOutboundFrames { get; init; } = 10000;

    public uint MaxOutboundControlFrames { get; init; } = 1000;

    public uint MaxConsecutiveInboundFramesWithEmptyPayload { get; init; } = 1;

    public uint MaxInboundPriorityFramesPerStream { get; init; } = 100;

    public uint MaxInboundWindowUpdateFramesPerDataFrameSent { get; init; } = 10;

    public bool StreamErrorOnInvalidHttpMessage { get; init; }

    /// <summary>connection_keepalive.interval; zero is off.</summary>
    public TimeSpan KeepaliveInterval { get; init; }

    public TimeSpan KeepaliveTimeout { get; init; }

    public double KeepaliveIntervalJitterPercent { get; init; } = 15;

    public TimeSpan KeepaliveConnectionIdleInterval { get; init; }
}
