using System.Globalization;

namespace MeshProxy.Xds.Mapping;

/// <summary>
/// A value of a JSON or YAML document or of a Struct. Objects keep their members in order, duplicates included; a
/// number keeps its text where it has one, because 64-bit integers do not fit a double.
/// </summary>
internal sealed class ConfigNode
{
    private static readonly IReadOnlyList<ConfigNode> NoItems = [];
    private static readonly IReadOnlyList<KeyValuePair<string, ConfigNode>> NoMembers = [];

    private readonly string? _text;
    private readonly double _number;

    private ConfigNode(NodeKind kind, string? text = null, double number = 0, bool flag = false)
    {
        Kind = kind;
        _text = text;
        _number = number;
        Flag = flag;
    }

    public static ConfigNode Null { get; } = new(NodeKind.Null);

    public static ConfigNode True { get; } = new(NodeKind.Bool, flag: true);

    public static ConfigNode False { get; } = new(NodeKind.Bool);

    public NodeKind Kind { get; }

    public bool Flag { get; }

    /// <summary>The text of a text or of a number.</summary>
    public string Text => _text ?? _number.ToString("R", CultureInfo.InvariantCulture);

    public double Number => _text == null ? _number : double.Parse(_text, NumberStyles.Float, CultureInfo.InvariantCulture);

    public IReadOnlyList<ConfigNode> Items { get; private init; } = NoItems;

    public IReadOnlyList<KeyValuePair<string, ConfigNode>> Members { get; private init; } = NoMembers;

    /// <summary>How many nodes this one and all below it are, aliases counted each time.</summary>
    public long Size { get; private init; } = 1;

    public static ConfigNode OfText(string text) => new(NodeKind.Text, text);

    /// <summary>A number by its JSON text.</summary>
    public static ConfigNode OfNumber(string text) => new(NodeKind.Number, text);

    public static ConfigNode OfNumber(double number) => new(NodeKind.Number, number: number);

    public static ConfigNode OfBool(bool value) => value ? True : False;

    public static ConfigNode OfList(IReadOnlyList<ConfigNode> items) =>
        new(NodeKind.List) { Items = items, Size = 1 + items.Sum(item => item.Size) };

    public static ConfigNode OfObject(IReadOnlyList<KeyValuePair<string, ConfigNode>> members) =>
        new(NodeKind.Object) { Members = members, Size = 1 + members.Sum(member => member.Value.Size) };

    /// <summary>The last member of a name, or null.</summary>
    public ConfigNode? Find(string name)
    {
        for (var i = Members.Count - 1; i >= 0; i--)
        {
            if (Members[i].Key == name)
            {
                return Members[i].Value;
            }
        }

        return null;
    }

    /// <summary>What it is, for a sentence: "a list", "the number 5".</summary>
    public string Describe() => Kind switch
    {
        NodeKind.Null => "null",
        NodeKind.Bool => Flag ? "true" : "false",
        NodeKind.Number => $"the number {Text}",
        NodeKind.Text => $"the text \"{Text}\"",
        NodeKind.List => "a list",
        _ => "an object",
    };
}
