using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Discovery;

/// <summary>How a resource is called: its field `name`, or `cluster_name` of a load assignment.</summary>
internal static class ResourceNames
{
    public static string Of(Message resource)
    {
        foreach (var field in resource.Type.Fields)
        {
            if (field.Kind == FieldKind.String && field.Name is "name" or "cluster_name")
            {
                return resource.GetString(field.Index);
            }
        }
        return "";
    }
}
