using System.Globalization;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Iptables;

/// <summary>
/// One form for rules that mean the same: iptables-save orders matches, masks addresses, writes marks in hexadecimal
/// and names the modules that options imply, differently from version to version. Two rules are the same if their
/// canonical texts are.
/// </summary>
internal static class CanonicalRule
{
    private static readonly Dictionary<string, string> ShortNames = new()
    {
        ["--jump"] = "-j",
        ["--source"] = "-s",
        ["--destination"] = "-d",
        ["--protocol"] = "-p",
        ["--in-interface"] = "-i",
        ["--out-interface"] = "-o",
        ["--set-xmark"] = "--set-mark",
    };

    public static string Of(string arguments)
    {
        var parts = new List<string>();
        var not = false;
        var words = Words(arguments);
        var module = "";
        for (var i = 0; i < words.Count;)
        {
            if (words[i] == "!")
            {
                not = true;
                i++;
                continue;
            }
            var option = ShortNames.GetValueOrDefault(words[i], words[i]);
            var values = new List<string>();
            for (i++; i < words.Count && words[i] != "!" && !IsOption(words[i]); i++)
                values.Add(words[i]);
            if (option == "-m")
                module = values is [var name, ..] ? name : "";
            else if (Part(option, string.Join(' ', values), module) is { } part)
                parts.Add(not ? "! " + part : part);
            not = false;
        }
        parts.Sort(StringComparer.Ordinal);
        return string.Join(' ', parts);
    }

    /// <summary>The chain or target that a rule jumps to; empty if it has none.</summary>
    public static string TargetOf(string arguments)
    {
        var words = Words(arguments);
        var jump = words.FindIndex(word => word is "-j" or "-g" or "--jump" or "--goto");
        return jump >= 0 && jump + 1 < words.Count ? words[jump + 1] : "";
    }

    private static bool IsOption(string word) =>
        word.Length > 1 && word[0] == '-' && (word[1] == '-' || char.IsAsciiLetter(word[1]));

    private static string? Part(string option, string value, string module) => option switch
    {
        "--comment" => null,
        "-s" or "-d" => $"{option} {Range(value)}",
        // Whole marks are the default and some versions say so.
        "--nfmask" or "--ctmask" when Number(value) == uint.MaxValue => null,
        "--on-ip" when value is "0.0.0.0" or "::" => null,
        "--ctstate" or "--state" => $"--ctstate {string.Join(',', value.Split(',').Order(StringComparer.Ordinal))}",
        "--mark" => $"{module} {Mark(value)}",
        "--set-mark" or "--tproxy-mark" => $"{option} {Mark(value)}",
        "--uid-owner" => $"{option} {(Number(value) is null ? AccountNames.UserId(value) ?? value : value)}",
        "--gid-owner" => $"{option} {(Number(value) is null ? AccountNames.GroupId(value) ?? value : value)}",
        _ => value.Length == 0 ? option : $"{option} {value}",
    };

    private static string Range(string value)
    {
        if (AddressRange.TryParse(value, out var range))
            return range!.Network.ToString();
        return System.Net.IPAddress.TryParse(value, out var address) ? AddressRange.Host(address).ToString() : value;
    }

    private static string Mark(string value)
    {
        var slash = value.IndexOf('/');
        var mark = Number(slash < 0 ? value : value[..slash]);
        var mask = slash < 0 ? uint.MaxValue : Number(value[(slash + 1)..]);
        return $"{mark}/{mask}";
    }

    private static uint? Number(string text)
    {
        var hexadecimal = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return uint.TryParse(
            hexadecimal ? text.AsSpan(2) : text, hexadecimal ? NumberStyles.HexNumber : NumberStyles.None,
            CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    private static List<string> Words(string text)
    {
        var words = new List<string>();
        var word = new System.Text.StringBuilder();
        var quoted = false;
        foreach (var c in text)
        {
            if (c == '"')
                quoted = !quoted;
            else if (c == ' ' && !quoted)
                Flush();
            else
                word.Append(c);
        }
        Flush();
        return words;

        void Flush()
        {
            if (word.Length > 0)
                words.Add(word.ToString());
            word.Clear();
        }
    }
}
