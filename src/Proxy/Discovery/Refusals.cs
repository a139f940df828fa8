using Google.Rpc;
using MeshProxy.Proxy.Http.Grpc;

namespace MeshProxy.Proxy.Discovery;

/// <summary>error_detail of a NACK.</summary>
internal static class Refusals
{
    /// <summary>Longer texts would make requests that servers refuse (Envoy truncates at 4096 characters too).</summary>
    private const int LongestText = 4096;

    public static Status Of(Exception refused)
    {
        var status = Status.New();
        status.Code = GrpcStatus.Internal;
        status.MessageValue = refused.Message.Length > LongestText ? refused.Message[..LongestText] + "...(truncated)" : refused.Message;
        return status;
    }
}
