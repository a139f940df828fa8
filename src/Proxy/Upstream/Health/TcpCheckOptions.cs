using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>HealthCheck.TcpHealthCheck, compiled.</summary>
internal sealed class TcpCheckOptions
{
    public TcpCheckOptions(HealthCheck.TcpHealthCheck config)
    {
        if (config.ProxyProtocolConfig is not null)
        {
            throw new ConfigurationException(
                "tcp_health_check.proxy_protocol_config is not supported; use a transport_socket with upstream_proxy_protocol.");
        }
        Send = config.Send is { } send ? PayloadMatcher.Read(send) : [];
        Receive = PayloadMatcher.Compile(config.Receive);
    }

    public byte[] Send { get; }

    public PayloadMatcher Receive { get; }
}
