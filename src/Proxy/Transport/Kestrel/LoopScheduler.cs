using System.IO.Pipelines;

namespace MeshProxy.Proxy.Transport.Kestrel;

/// <summary>Continues pipes on a loop.</summary>
internal sealed class LoopScheduler(EventLoop loop) : PipeScheduler
{
    public override void Schedule(Action<object?> action, object? state) => loop.Post(action, state);
}
