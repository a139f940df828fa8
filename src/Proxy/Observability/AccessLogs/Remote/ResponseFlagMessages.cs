using System.Numerics;
using Message = Envoy.Data.Accesslog.V3.ResponseFlags;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>Response flags as data.accesslog.v3.ResponseFlags.</summary>
internal static class ResponseFlagMessages
{
    // DropOverload and what is Envoy's own after DownstreamRemoteReset have no field.
    private const ResponseFlags Unnamed = ResponseFlags.DropOverload | ResponseFlags.UnconditionalDropOverload;

    public static Message Of(ResponseFlags flags)
    {
        var message = Message.New();
        for (var rest = flags & ~Unnamed; rest != 0; rest &= rest - 1)
        {
            Set(message, rest & (ResponseFlags)(-(long)rest));
        }
        return message;
    }

    private static void Set(Message message, ResponseFlags flag)
    {
        switch (flag)
        {
            case ResponseFlags.UnauthorizedExternalService:
                var details = Message.Unauthorized.New();
                details.ReasonValue = Message.Unauthorized.Reason.ExternalService;
                message.UnauthorizedDetails = details;
                break;
            case ResponseFlags.DownstreamRemoteReset:
                message.DownstreamRemoteReset = true;
                break;
            default:
                // The message has a field a flag, in the flags' order.
                message.Message.SetBool(BitOperations.TrailingZeroCount((ulong)flag), true);
                break;
        }
    }
}
