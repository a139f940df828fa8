using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;
using MeshProxy.Xds.Validation;

namespace MeshProxy.ControlPlane.Resources;

/// <summary>One file of resources: what was read last, and what of it is served.</summary>
/// <param name="Path">The file.</param>
/// <param name="ContentVersion">Of the bytes that were read, served or not.</param>
/// <param name="Resources">What is served: the content as it was when it was last right.</param>
internal sealed record ResourceFile(string Path, string ContentVersion, IReadOnlyList<ServedResource> Resources)
{
    private static readonly string[] Endings = [".json", ".yaml", ".yml", ".pb"];

    /// <summary>Whether a file is one of resources: by its ending, and not hidden.</summary>
    public static bool IsOne(string path) =>
        !System.IO.Path.GetFileName(path.AsSpan()).StartsWith('.')
        && Endings.Any(ending => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads the resources of a file's content and checks each against the rules of its interface.</summary>
    /// <exception cref="ProtobufException">Something in it must not be served.</exception>
    public static IReadOnlyList<ServedResource> Parse(string path, byte[] content)
    {
        var resources = new List<ServedResource>();
        var names = new HashSet<(string Type, string Name)>();
        foreach (var body in MessageFile.ParseResources(path, content, JsonReadOptions.Strict))
        {
            var resource = ServedResource.Of(body);
            Check(resource);
            if (!names.Add((body.TypeUrl, resource.Name)))
                throw new ProtobufException($"{body.TypeName} \"{resource.Name}\" is there twice: remove one");
            resources.Add(resource);
        }
        return resources;
    }

    private static void Check(ServedResource resource)
    {
        try
        {
            MessageValidator.ThrowIfInvalid(resource.Body.RawMessage!);
        }
        catch (ProtobufException refused)
        {
            throw new ProtobufException($"{resource.Body.TypeName} \"{resource.Name}\": {refused.Message}");
        }
    }
}
