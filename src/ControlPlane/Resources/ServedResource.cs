using System.Security.Cryptography;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.ControlPlane.Resources;

/// <summary>A resource as it is served.</summary>
/// <param name="Name">By which it is subscribed to.</param>
/// <param name="Version">Of its content: equal content has an equal version, whenever and by whomever it is served.</param>
/// <param name="Body">The resource.</param>
internal sealed record ServedResource(string Name, string Version, Any Body)
{
    // Half of a SHA-256 is beyond any accident; versions are compared, not trusted.
    private const int VersionBytes = 16;

    /// <summary>A resource under the name that its type gives it.</summary>
    /// <exception cref="ProtobufException">It is malformed or has no name.</exception>
    public static ServedResource Of(Any body)
    {
        var message = body.RawMessage
            ?? throw new ProtobufException($"the type {body.TypeUrl} is unknown: correct the type");
        var field = message.Type.FindField("cluster_name") ?? message.Type.FindField("name");
        var name = field is null ? "" : message.GetString(field.Index);
        return name.Length == 0
            ? throw new ProtobufException($"a {message.Type.FullName} has no name: give it one")
            : new ServedResource(name, VersionOf(body.Value.Span), body);
    }

    /// <summary>The version of some bytes.</summary>
    public static string VersionOf(ReadOnlySpan<byte> content) =>
        Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, VersionBytes));
}
