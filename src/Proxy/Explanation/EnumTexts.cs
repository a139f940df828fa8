using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Explanation;

/// <summary>Enum fields by the names their interface gives them.</summary>
public static class EnumTexts
{
    /// <summary>The name of the value in the field, `LEAST_REQUEST`; its number when it has none.</summary>
    public static string Of(Message message, string field)
    {
        var descriptor = message.Type.FindField(field)!;
        var number = message.GetInt32(descriptor.Index);
        return descriptor.EnumType!.NameOf(number) ?? number.ToString();
    }
}
