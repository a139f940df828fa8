using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Tests.Configuration;

/// <summary>Which fields of messages an assembly reads, found in its code: the getters of the typed wrappers it refers to.</summary>
internal sealed class FieldReads
{
    private static readonly Assembly Wrappers = typeof(Message).Assembly;

    private readonly HashSet<(string Type, string Field)> _read = [];
    private readonly HashSet<string> _types = [];

    public FieldReads(params ReadOnlySpan<Assembly> assemblies)
    {
        foreach (var assembly in assemblies)
        {
            using var file = new PEReader(File.OpenRead(assembly.Location));
            Scan(file.GetMetadataReader());
        }
    }

    /// <summary>Types the assemblies know.</summary>
    public IReadOnlyCollection<string> Types => _types;

    /// <summary>Whether the assemblies know the type at all.</summary>
    public bool Knows(string type) => _types.Contains(type);

    public bool Reads(FieldDescriptor field) => _read.Contains((field.ContainingType.FullName, field.Name));

    private void Scan(MetadataReader metadata)
    {
        foreach (var handle in metadata.MemberReferences)
        {
            var member = metadata.GetMemberReference(handle);
            if (member.Parent.Kind != HandleKind.TypeReference)
            {
                continue;
            }
            var wrapper = Wrappers.GetType(NameOf(metadata, (TypeReferenceHandle)member.Parent));
            if (wrapper?.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) is not MessageType type)
            {
                continue;
            }
            _types.Add(type.FullName);
            var name = metadata.GetString(member.Name);
            if (wrapper.GetMethod(name, BindingFlags.Public | BindingFlags.Instance) is { } getter
                && name.StartsWith("get_", StringComparison.Ordinal) && FieldOf(getter, type) is { } field)
            {
                _read.Add((type.FullName, field.Name));
            }
        }
    }

    private static string NameOf(MetadataReader metadata, TypeReferenceHandle handle)
    {
        var type = metadata.GetTypeReference(handle);
        var name = metadata.GetString(type.Name);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? $"{NameOf(metadata, (TypeReferenceHandle)type.ResolutionScope)}+{name}"
            : $"{metadata.GetString(type.Namespace)}.{name}";
    }

    // A getter loads its message, then the field's index as a constant.
    private static FieldDescriptor? FieldOf(MethodInfo getter, MessageType type)
    {
        var code = getter.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (var at = 0; at < code.Length; at++)
        {
            switch (code[at])
            {
                case 0x28:
                    at += sizeof(int);
                    break;
                case >= 0x16 and <= 0x1E:
                    return At(type, code[at] - 0x16);
                case 0x1F:
                    return At(type, code[at + 1]);
                case 0x02 or 0x03 or 0x00:
                    break;
                default:
                    return null;
            }
        }
        return null;
    }

    private static FieldDescriptor? At(MessageType type, int index) => index < type.Fields.Length ? type.Fields[index] : null;
}
