using Envoy.Service.Discovery.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Configuration.Unbuilt;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using MeshProxy.Xds.Validation;

namespace MeshProxy.Proxy.Discovery;

/// <summary>
/// Unpacks resources and checks them against the rules of their own message. What is packed inside them (filters,
/// transport sockets) is checked where it is compiled, so that a fault there refuses one resource and not the push.
/// </summary>
/// <param name="validation">What is done with unknown fields.</param>
/// <param name="serverScope">Where unknown fields are counted.</param>
/// <param name="unsupported">Where is noted what is accepted without effect.</param>
internal sealed class ResourceDecoder(MessageValidationOptions validation, IStatsScope serverScope, UnsupportedFeatures unsupported)
{
    /// <summary>Types whose owners check what is without effect, each resource by itself.</summary>
    private static readonly string[] CheckedByOwner =
    [
        Envoy.Config.Listener.V3.Listener.Descriptor.TypeUrl,
        Envoy.Config.Cluster.V3.Cluster.Descriptor.TypeUrl,
        Envoy.Config.Route.V3.RouteConfiguration.Descriptor.TypeUrl,
        Envoy.Config.Core.V3.TypedExtensionConfig.Descriptor.TypeUrl,
        Envoy.Config.Endpoint.V3.ClusterLoadAssignment.Descriptor.TypeUrl,
        Resource.Descriptor.TypeUrl,
    ];

    private static readonly string ResourceUrl = Resource.Descriptor.TypeUrl;

    private readonly Counter _unknownFields = serverScope.Counter("server.dynamic_unknown_fields");

    /// <summary>A resource as state of the world or a file brings it, bare or wrapped.</summary>
    /// <returns>Null for a wrapper without content: it only renews a time to live.</returns>
    /// <exception cref="ConfigurationException">It is of another type, does not parse, or breaks a rule.</exception>
    public DecodedResource? Decode(Any packed, string typeUrl, string systemVersion, out Resource? wrapper)
    {
        wrapper = null;
        if (packed.TypeUrl != ResourceUrl)
        {
            var message = Unpack(packed, typeUrl);
            return new DecodedResource(ResourceNames.Of(message), systemVersion, message, []);
        }
        wrapper = Resource.From(Unpack(packed, ResourceUrl));
        return wrapper.Value.ResourceValue is null ? null : Decode(wrapper.Value, typeUrl, systemVersion);
    }

    /// <summary>The content of a wrapper; its own name and version count.</summary>
    /// <exception cref="ConfigurationException">It is of another type, does not parse, or breaks a rule.</exception>
    public DecodedResource Decode(Resource wrapper, string typeUrl, string? version = null)
    {
        var message = Unpack(wrapper.ResourceValue!, typeUrl);
        var name = wrapper.Name.Length > 0 ? wrapper.Name : ResourceNames.Of(message);
        return new DecodedResource(name, version ?? wrapper.Version, message, [.. wrapper.Aliases]);
    }

    private Message Unpack(Any packed, string typeUrl)
    {
        try
        {
            if (packed.TypeUrl != typeUrl)
            {
                var name = packed.RawMessage is { } other ? ResourceNames.Of(other) : "";
                throw new ConfigurationException(
                    $"{packed.TypeUrl} of the resource '{name}' does not match the message-wide type URL {typeUrl}: an answer holds resources of one type.");
            }
            var message = packed.RawMessage
                ?? throw new ConfigurationException($"Resources of type {typeUrl} are unknown to this proxy.");
            MessageValidator.ThrowIfInvalid(message, intoAny: false);
            CheckUnknownFields(message);
            if (Array.IndexOf(CheckedByOwner, typeUrl) < 0)
            {
                UnbuiltFields.Check(message, unsupported);
            }
            return message;
        }
        catch (ProtobufException broken)
        {
            throw new ConfigurationException($"A resource of type {typeUrl} is refused: {broken.Message}", broken);
        }
    }

    /// <summary>Counts fields of what came that are not known, or refuses them where told to.</summary>
    /// <exception cref="ConfigurationException">Unknown fields are refused.</exception>
    public void NoteUnknownFields(IReadOnlyList<string> paths)
    {
        if (paths is [var first, ..] && validation.RejectUnknownFields)
        {
            throw new ConfigurationException($"The field {first} is unknown (--reject-unknown-dynamic-fields); leave it out.");
        }
        _unknownFields.Add(paths.Count);
    }

    private void CheckUnknownFields(Message message)
    {
        var unknown = UnknownFieldList.Of(message, intoAny: false);
        if (unknown.Count > 0)
        {
            NoteUnknownFields([.. unknown.Select(field => $"{ResourceNames.Of(message)}: {field.Path}.{field.Number}")]);
        }
    }
}
