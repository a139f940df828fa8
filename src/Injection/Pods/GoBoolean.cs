namespace MeshProxy.Injection.Pods;

/// <summary>Booleans in annotations, spelled as Go's strconv.ParseBool takes them.</summary>
internal static class GoBoolean
{
    public static bool? Parse(string? text) => text switch
    {
        "1" or "t" or "T" or "TRUE" or "true" or "True" => true,
        "0" or "f" or "F" or "FALSE" or "false" or "False" => false,
        _ => null,
    };
}
