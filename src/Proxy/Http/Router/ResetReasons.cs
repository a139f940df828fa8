using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>Words and flags for why an upstream stream ended early.</summary>
internal static class ResetReasons
{
    public static string Text(StreamResetReason reason) => reason switch
    {
        StreamResetReason.LocalReset => "local reset",
        StreamResetReason.LocalRefusedStreamReset => "local refused stream reset",
        StreamResetReason.RemoteReset => "remote reset",
        StreamResetReason.RemoteRefusedStreamReset => "remote refused stream reset",
        StreamResetReason.ConnectionTermination => "connection termination",
        StreamResetReason.LocalConnectionFailure => "local connection failure",
        StreamResetReason.RemoteConnectionFailure => "remote connection failure",
        StreamResetReason.ConnectionTimeout => "connection timeout",
        StreamResetReason.Overflow => "overflow",
        StreamResetReason.ConnectError => "remote error with CONNECT request",
        StreamResetReason.ProtocolError => "protocol error",
        StreamResetReason.OverloadManager => "overload manager reset",
        _ => "http1 premature upstream half close",
    };

    public static ResponseFlags Flag(StreamResetReason reason) => reason switch
    {
        StreamResetReason.LocalConnectionFailure or StreamResetReason.RemoteConnectionFailure
            or StreamResetReason.ConnectionTimeout => ResponseFlags.UpstreamConnectionFailure,
        StreamResetReason.ConnectionTermination or StreamResetReason.Http1PrematureUpstreamHalfClose =>
            ResponseFlags.UpstreamConnectionTermination,
        StreamResetReason.LocalReset or StreamResetReason.LocalRefusedStreamReset => ResponseFlags.LocalReset,
        StreamResetReason.Overflow => ResponseFlags.UpstreamOverflow,
        StreamResetReason.ProtocolError => ResponseFlags.UpstreamProtocolError,
        StreamResetReason.OverloadManager => ResponseFlags.OverloadManager,
        _ => ResponseFlags.UpstreamRemoteReset,
    };
}
