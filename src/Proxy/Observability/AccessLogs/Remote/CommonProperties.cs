using System.Net;
using Envoy.Data.Accesslog.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability.Tracing;
using MeshProxy.Proxy.Transport;
using Address = Envoy.Config.Core.V3.Address;

namespace MeshProxy.Proxy.Observability.AccessLogs.Remote;

/// <summary>Makes data.accesslog.v3.AccessLogCommon of an exchange; what is not known is left out.</summary>
/// <param name="filterStateKeys">Names of the objects to send.</param>
internal sealed class CommonProperties(IReadOnlyList<string> filterStateKeys, IReadOnlyList<CustomSpanTag> tags)
{
    private const int NanosecondsPerTick = 100;

    public AccessLogCommon Of(in LogContext context)
    {
        var info = context.StreamInfo;
        var message = AccessLogCommon.New();
        message.AccessLogType = (Envoy.Data.Accesslog.V3.AccessLogType)context.Type;
        AddDownstream(message, info);
        AddTimes(message, info);
        AddUpstream(message, info);
        AddOutcome(message, info);
        message.StreamId = context.RequestHeaders?.GetString(KnownHeader.XRequestId) ?? "";
        if (!info.DynamicMetadata.IsEmpty)
        {
            message.Metadata = MetadataConversion.ToMessage(info.DynamicMetadata);
        }
        foreach (var key in filterStateKeys)
        {
            if (Find(info, key)?.SerializeAsAny() is { } value)
            {
                message.FilterStateObjects.Set(key, value);
            }
        }
        foreach (var tag in tags)
        {
            if (tag.Value(context) is { Length: > 0 } value)
            {
                message.CustomTags.Set(tag.Name, value);
            }
        }
        return message;
    }

    /// <summary>An object of the stream, or of its upstream connection.</summary>
    public static IFilterStateObject? Find(StreamInfo info, string key) =>
        info.FilterState.Get(key) ?? info.Upstream?.FilterState.Get(key);

    private static void AddDownstream(AccessLogCommon message, StreamInfo info)
    {
        message.DownstreamRemoteAddress = AddressMessages.Of(info.Downstream.RemoteAddress);
        message.DownstreamLocalAddress = AddressMessages.Of(info.Downstream.LocalAddress);
        message.DownstreamDirectRemoteAddress = AddressMessages.Of(info.Downstream.DirectRemoteAddress);
        message.DownstreamTransportFailureReason = info.DownstreamTransportFailureReason;
        message.DownstreamWireBytesReceived = (ulong)info.DownstreamWireBytesReceived;
        message.DownstreamWireBytesSent = (ulong)info.DownstreamWireBytesSent;
        if (info.DownstreamTls is { } tls)
        {
            message.TlsProperties = TlsMessages.Of(tls, info.Downstream);
        }
    }

    private static void AddTimes(AccessLogCommon message, StreamInfo info)
    {
        message.StartTime = info.StartTime;
        message.TimeToLastRxByte = Since(info, info.LastDownstreamRxByteReceived);
        message.TimeToFirstUpstreamTxByte = Since(info, info.Upstream?.FirstTxByteSent);
        message.TimeToLastUpstreamTxByte = Since(info, info.Upstream?.LastTxByteSent);
        message.TimeToFirstUpstreamRxByte = Since(info, info.Upstream?.FirstRxByteReceived);
        message.TimeToLastUpstreamRxByte = Since(info, info.Upstream?.LastRxByteReceived);
        message.TimeToFirstDownstreamTxByte = Since(info, info.FirstDownstreamTxByteSent);
        message.TimeToLastDownstreamTxByte = Since(info, info.LastDownstreamTxByteSent);
        message.Duration = Since(info, info.RequestComplete != 0 ? info.RequestComplete : EventLoop.NowNanoseconds);
        message.IntermediateLogEntry = info.RequestComplete == 0;
    }

    private static void AddUpstream(AccessLogCommon message, StreamInfo info)
    {
        message.UpstreamCluster = info.UpstreamCluster?.ObservabilityName ?? "";
        message.UpstreamRequestAttemptCount = (uint)info.AttemptCount;
        if (info.Upstream is not { } upstream)
        {
            return;
        }
        message.UpstreamRemoteAddress = AddressOf(upstream.RemoteAddress ?? upstream.Host?.Address);
        message.UpstreamLocalAddress = AddressOf(upstream.LocalAddress);
        message.UpstreamTransportFailureReason = upstream.TransportFailureReason;
        message.UpstreamWireBytesReceived = (ulong)upstream.WireBytesReceived;
        message.UpstreamWireBytesSent = (ulong)upstream.WireBytesSent;
    }

    private static void AddOutcome(AccessLogCommon message, StreamInfo info)
    {
        message.RouteName = info.RouteName;
        message.ConnectionTerminationDetails = info.ConnectionTerminationDetails;
        if (info.ResponseFlags != ResponseFlags.None)
        {
            message.ResponseFlags = ResponseFlagMessages.Of(info.ResponseFlags);
        }
    }

    private static Address? AddressOf(EndPoint? endPoint) => endPoint is null ? null : AddressMessages.Of(endPoint);

    private static TimeSpan? Since(StreamInfo info, long? time) =>
        time is { } known and not 0 && known >= info.StartNanoseconds
            ? TimeSpan.FromTicks((known - info.StartNanoseconds) / NanosecondsPerTick)
            : null;
}
