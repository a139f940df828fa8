using Google.Protobuf.WellKnownTypes;
using MeshProxy.Proxy.Http.Filters.GrpcStats;
using MeshProxy.Proxy.Observability.AccessLogs.Remote;
using MeshProxy.Proxy.Observability;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.AccessLogs.Remote;

public sealed class CommonPropertiesTests
{
    [Fact]
    public void WhatDidNotHappenIsLeftOut()
    {
        var message = new CommonProperties([], []).Of(LogContexts.Http());
        Assert.Null(message.TimeToFirstUpstreamTxByte);
        Assert.Null(message.UpstreamRemoteAddress);
        Assert.Null(message.ResponseFlags);
        Assert.Null(message.Metadata);
        Assert.True(message.IntermediateLogEntry);
    }

    [Fact]
    public void TimesCountFromTheStart()
    {
        var info = LogContexts.Info();
        info.LastDownstreamRxByteReceived = info.StartNanoseconds + 1_500_000;
        info.RequestComplete = info.StartNanoseconds + 2_000_000;
        var message = new CommonProperties([], []).Of(LogContexts.Http(info));
        Assert.Equal(TimeSpan.FromMilliseconds(1.5), message.TimeToLastRxByte);
        Assert.Equal(TimeSpan.FromMilliseconds(2), message.Duration);
        Assert.False(message.IntermediateLogEntry);
        Assert.Equal(info.StartTime, message.StartTime!.Value.UtcDateTime);
    }

    [Fact]
    public void FlagsHaveTheirFields()
    {
        var info = LogContexts.Info();
        info.SetFlag(ResponseFlags.UpstreamConnectionFailure | ResponseFlags.DnsResolutionFailed);
        info.SetFlag(ResponseFlags.UnauthorizedExternalService | ResponseFlags.DownstreamRemoteReset | ResponseFlags.DropOverload);
        var flags = new CommonProperties([], []).Of(LogContexts.Http(info)).ResponseFlags!.Value;
        Assert.True(flags.UpstreamConnectionFailure);
        Assert.True(flags.DnsResolutionFailure);
        Assert.True(flags.DownstreamRemoteReset);
        Assert.Equal(
            Envoy.Data.Accesslog.V3.ResponseFlags.Unauthorized.Reason.ExternalService, flags.UnauthorizedDetails!.Value.ReasonValue);
        Assert.False(flags.NoHealthyUpstream);
    }

    [Fact]
    public void ObjectsOfTheFilterStateGoAsMessages()
    {
        var info = LogContexts.Info();
        info.FilterState.Set("text", new StringFilterState("value"));
        info.FilterState.Set(GrpcStatsObject.Key, new GrpcStatsObject { Requests = 2, Responses = 6 });
        var objects = new CommonProperties(["text", "none", GrpcStatsObject.Key], []).Of(LogContexts.Http(info)).FilterStateObjects;
        Assert.Equal(2, objects.Count);
        Assert.True(objects.TryGetValue("text", out var text));
        Assert.Equal("value", text.Unpack<StringValue>().Value);
        Assert.Equal("{\"requestMessageCount\":\"2\",\"responseMessageCount\":\"6\"}",
            ((IFilterStateObject)info.FilterState.Get(GrpcStatsObject.Key)!).ToJson());
    }
}
