using Envoy.Config.Core.V3;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;
using MeshProxy.Xds.Validation;

namespace MeshProxy.Xds.Bootstrap;

/// <summary>Reads the bootstrap that a command line names.</summary>
public static class BootstrapLoader
{
    /// <summary>
    /// The file of <c>-c</c>, <c>--config-yaml</c> merged over it by protobuf's rules, the node's names of the command
    /// line; checked against the rules of the interface, extensions' configuration included.
    /// </summary>
    /// <exception cref="ProtobufException">There is none, it is malformed, or it breaks a rule.</exception>
    public static LoadedBootstrap Load(EnvoyOptions options)
    {
        if (options.ConfigPath.Length == 0 && options.ConfigYaml.Length == 0)
        {
            throw new ProtobufException("there is no configuration: give -c <file> or --config-yaml <text>");
        }

        var unknown = new List<string>();
        var reading = options.AllowUnknownStaticFields
            ? new JsonReadOptions { OnUnknownField = unknown.Add }
            : JsonReadOptions.Strict;
        var type = Envoy.Config.Bootstrap.V3.Bootstrap.Descriptor;
        var message = options.ConfigPath.Length > 0
            ? MessageFile.Load(options.ConfigPath, type, reading)
            : new Message(type);
        if (options.ConfigYaml.Length > 0)
        {
            message.MergeFrom(ParseText(options.ConfigYaml, type, reading));
        }

        var bootstrap = Envoy.Config.Bootstrap.V3.Bootstrap.From(message);
        OverrideNode(bootstrap, options);
        MessageValidator.ThrowIfInvalid(message);
        return new LoadedBootstrap(bootstrap, unknown, DeprecatedFieldList.Of(message));
    }

    private static Message ParseText(string yaml, MessageType type, JsonReadOptions reading)
    {
        try
        {
            return MessageJson.ParseYaml(type, yaml, reading);
        }
        catch (ProtobufException error)
        {
            throw new ProtobufException($"--config-yaml: {error.Message}");
        }
    }

    private static void OverrideNode(Envoy.Config.Bootstrap.V3.Bootstrap bootstrap, EnvoyOptions options)
    {
        if (options.ServiceNode.Length + options.ServiceCluster.Length + options.ServiceZone.Length == 0)
        {
            return;
        }

        var node = bootstrap.Node ?? Node.New();
        node.Id = options.ServiceNode.Length > 0 ? options.ServiceNode : node.Id;
        node.Cluster = options.ServiceCluster.Length > 0 ? options.ServiceCluster : node.Cluster;
        if (options.ServiceZone.Length > 0)
        {
            var locality = node.Locality ?? Locality.New();
            locality.Zone = options.ServiceZone;
            node.Locality = locality;
        }

        bootstrap.Node = node;
    }
}
