namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>Names of <see cref="AccessLogType"/>.</summary>
internal static class AccessLogTypes
{
    private static readonly string[] Names = MakeNames();

    public static string Name(AccessLogType type) => Names[(int)type];

    private static string[] MakeNames()
    {
        var values = Enum.GetValues<AccessLogType>();
        var names = new string[values.Length];
        foreach (var value in values)
        {
            names[(int)value] = value.ToString();
        }
        return names;
    }
}
