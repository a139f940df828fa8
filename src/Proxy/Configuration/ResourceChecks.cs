using MeshProxy.Proxy.Configuration.Unbuilt;
using MeshProxy.Xds.Protobuf;
using MeshProxy.Xds.Validation;

namespace MeshProxy.Proxy.Configuration;

/// <summary>Checks what is packed in a resource (filters, transport sockets, options): a fault there refuses the resource alone.</summary>
internal static class ResourceChecks
{
    /// <exception cref="ConfigurationException">Something packed in it does not parse, breaks a rule of its interface, or has unknown fields where those are refused.</exception>
    public static void CheckPacked(Message resource, MessageValidationOptions validation, UnsupportedFeatures unsupported)
    {
        try
        {
            MessageValidator.ThrowIfInvalid(resource);
            if (validation.RejectUnknownFields && UnknownFieldList.Of(resource) is [var unknown, ..])
            {
                throw new ConfigurationException(
                    $"{unknown.Path}: the field {unknown.Number} is unknown (--reject-unknown-dynamic-fields); leave it out.");
            }
            UnbuiltFields.Check(resource, unsupported);
        }
        catch (ProtobufException broken)
        {
            throw new ConfigurationException(broken.Message, broken);
        }
    }
}
