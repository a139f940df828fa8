using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>Settings from a command line, as an injector writes it.</summary>
internal static class Given
{
    public const string AsInjected = "-p 15001 -z 15006 -u 1337 -m REDIRECT -i * -b * -d 15090,15021,15020";

    public static InterceptionSettings Arguments(string line) =>
        Settings(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), new Dictionary<string, string>());

    public static InterceptionSettings Settings(
        IReadOnlyList<string> words, IReadOnlyDictionary<string, string> environment)
    {
        var values = new Dictionary<string, string>();
        for (var i = 0; i < words.Count; i++)
        {
            var (name, inline) = words[i].Split('=', 2) is [var left, var right] ? (left, right) : (words[i], null);
            var flag = Flags.All.First(f => f.IsCalled(name));
            values[flag.Name] = inline ?? (flag.Boolean ? "true" : words[++i]);
        }
        return new SettingsReader(values.GetValueOrDefault, environment.GetValueOrDefault).Read();
    }
}
