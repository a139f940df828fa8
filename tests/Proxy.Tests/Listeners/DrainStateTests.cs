using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Listeners;
using Xunit;

namespace MeshProxy.Proxy.Tests.Listeners;

/// <summary>Whose drain asks whose connections to end.</summary>
public sealed class DrainStateTests
{
    private static readonly TimeSpan Time = TimeSpan.FromHours(1);

    private readonly ServerHealth _health = new();
    private readonly DrainState _process = new(null, DrainStrategy.Immediate, Time);

    [Fact]
    public void AListenerDrainsWithTheProcess()
    {
        var listener = Listener();
        Assert.False(listener.DrainClose);
        _process.Start();
        Assert.True(listener.DrainClose);
    }

    [Fact]
    public void AnInboundDrainIsForInboundListenersAndTheirChains()
    {
        var inbound = Listener(inbound: true);
        var chain = new DrainState(inbound, DrainStrategy.Immediate, Time);
        var outbound = Listener();
        _process.Start(inboundOnly: true);
        Assert.True(inbound.DrainClose);
        Assert.True(chain.DrainClose);
        Assert.False(outbound.DrainClose);
        Assert.False(_process.Draining(inboundOnly: false));
    }

    [Fact]
    public void FailedHealthDrainsDefaultListenersAsLongAsItLasts()
    {
        var listener = new DrainState(_process, DrainStrategy.Immediate, Time) { Health = _health };
        var chain = new DrainState(listener, DrainStrategy.Immediate, Time);
        var modifyOnly = Listener();
        _health.Failed = true;
        Assert.True(chain.DrainClose);
        Assert.False(modifyOnly.DrainClose);
        _health.Failed = false;
        Assert.False(chain.DrainClose);
    }

    [Fact]
    public void AChainDrainsAlone()
    {
        var listener = Listener();
        var chain = new DrainState(listener, DrainStrategy.Immediate, Time);
        chain.Start();
        Assert.True(chain.DrainClose);
        Assert.False(listener.DrainClose);
    }

    private DrainState Listener(bool inbound = false) => new(_process, DrainStrategy.Immediate, Time) { Inbound = inbound };
}
