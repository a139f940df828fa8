using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Validation;

/// <summary>Checks messages against the rules of their interfaces, as Envoy does before it looks at anything else.</summary>
public static class MessageValidator
{
    /// <summary>All violations, in order of fields, a message before what is in it.</summary>
    /// <param name="message">What to check.</param>
    /// <param name="intoAny">Whether packed messages of known types are checked too.</param>
    /// <exception cref="ProtobufException">A packed message of a known type is malformed.</exception>
    public static IReadOnlyList<Violation> Validate(Message message, bool intoAny = true)
    {
        var violations = new List<Violation>();
        var options = new WalkOptions(intoAny, ResolvesTypedStructs: true, SkipsWhatRulesSkip: true);
        MessageWalker.Walk(message, options, (part, path) => Check(part, path, violations));
        return violations;
    }

    /// <summary>Refuses a message that breaks a rule.</summary>
    /// <exception cref="ProtobufException">The first violation.</exception>
    public static void ThrowIfInvalid(Message message, bool intoAny = true)
    {
        if (Validate(message, intoAny) is [var first, ..])
        {
            throw new ProtobufException(first.ToString());
        }
    }

    /// <summary>Unpacks the configuration of an extension and checks it, what is packed in it excepted.</summary>
    /// <exception cref="ProtobufException">It is another type, malformed, or breaks a rule.</exception>
    public static T ValidateAndUnpack<T>(Any any)
        where T : struct, IMessage<T>
    {
        var unpacked = any.Unpack<T>();
        ThrowIfInvalid(unpacked.Message, intoAny: false);
        return unpacked;
    }

    private static void Check(Message message, PathTracker path, List<Violation> violations)
    {
        // Envoy's SPIFFE validator takes its configuration unchecked: trust_bundles may stand in for the trust_domains
        // that the rule still demands.
        if (message.Type != SPIFFECertValidatorConfig.Descriptor)
        {
            new MessageRules(message, path, violations).Check();
        }
    }
}
