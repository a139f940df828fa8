namespace MeshProxy.Xds.Protobuf;

/// <summary>Paths of fields as people read them: <c>static_resources.listeners[0].name</c>, <c>map["key"]</c>.</summary>
internal static class FieldPath
{
    public static string Append(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    public static string Element(string path, int index) => $"{path}[{index}]";

    public static string Key(string path, string key) => $"{path}[\"{key}\"]";
}
