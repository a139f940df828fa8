using Envoy.Config.Core.V3;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>HealthCheck.TcpHealthCheck, compiled.</summary>
internal sealed class TcpCheckOptions(HealthCheck.TcpHealthCheck config)
{
    public byte[] Send { get; } = config.Send is { } send ? PayloadMatcher.Read(send) : [];

    public PayloadMatcher Receive { get; } = PayloadMatcher.Compile(config.Receive);
}
