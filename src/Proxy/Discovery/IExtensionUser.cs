using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Discovery;

/// <summary>A place in a filter chain whose configuration comes by ECDS.</summary>
internal interface IExtensionUser
{
    /// <summary>Compiles the configuration without using it yet; the action returned puts it in force.</summary>
    /// <exception cref="Configuration.ConfigurationException">It does not fit here.</exception>
    Action Prepare(Any config);

    /// <summary>The server has no such resource (any longer), or the first one did not come or was refused.</summary>
    void UseDefault(bool removed);
}
