using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Configuration;

/// <summary>core.v3.SocketOption to the transport's own.</summary>
public static class SocketOptionConversion
{
    public static SocketOption Convert(Envoy.Config.Core.V3.SocketOption option) => new(
        (int)option.Level, (int)option.Name, option.IntValue,
        option.ValueCase == Envoy.Config.Core.V3.SocketOption.ValueOneofCase.BufValue ? option.BufValue.ToArray() : null);
}
