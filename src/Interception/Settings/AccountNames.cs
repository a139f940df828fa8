namespace MeshProxy.Interception.Settings;

/// <summary>
/// Users and groups of the local files. Other sources of names are not asked: they can lead to the network that is
/// being set up.
/// </summary>
public static class AccountNames
{
    public static string? UserId(string name) => Find("/etc/passwd", name);

    public static string? GroupId(string name) => Find("/etc/group", name);

    // Both files hold "name:password:number:…" lines (passwd(5), group(5)).
    private static string? Find(string file, string name)
    {
        if (!File.Exists(file))
            return null;
        foreach (var line in File.ReadLines(file))
        {
            var fields = line.Split(':');
            if (fields.Length > 2 && fields[0] == name)
                return fields[2];
        }
        return null;
    }
}
