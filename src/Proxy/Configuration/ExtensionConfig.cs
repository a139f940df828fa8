using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Configuration;

/// <summary>Unpacks the configuration of an extension.</summary>
public static class ExtensionConfig
{
    /// <summary>The message of <paramref name="type"/>; an empty one when none is given, as Envoy takes an absent typed_config.</summary>
    /// <exception cref="ConfigurationException">It is of another type, broken, or against the interface's own rules.</exception>
    public static Message Unpack(Any? config, string type, string where)
    {
        var expected = SchemaRegistry.Find(type) ?? throw new InvalidOperationException($"No message type {type}.");
        if (config is null)
        {
            return new Message(expected);
        }
        try
        {
            if (config.Message is { } message && message.Type == expected)
            {
                return message;
            }
        }
        catch (ProtobufException broken)
        {
            throw new ConfigurationException($"{where}: {broken.Message}", broken);
        }
        throw new ConfigurationException($"{where}: Unable to unpack as {type}: {config.TypeName}");
    }
}
