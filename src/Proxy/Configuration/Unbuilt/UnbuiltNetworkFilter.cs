using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Configuration.Unbuilt;

/// <summary>Stands for a network filter that is not built.</summary>
internal sealed class UnbuiltNetworkFilter(string type, UnsupportedEffect effect) : INetworkFilterFactory
{
    public string ConfigType => type;

    public string Name => type;

    public INetworkFilterConfig Compile(Message config, FactoryContext context)
    {
        UnsupportedFeatures.Of(context.Singletons).Note(type, effect);
        return effect == UnsupportedEffect.Refuses ? new Refusing() : new Inert();
    }

    private sealed class Inert : INetworkFilterConfig
    {
        public void CreateFilter(Connection connection)
        {
        }
    }

    private sealed class Refusing : INetworkFilterConfig
    {
        public void CreateFilter(Connection connection) => connection.AddReadFilter(new ClosingFilter("unsupported_security_filter"));
    }
}
