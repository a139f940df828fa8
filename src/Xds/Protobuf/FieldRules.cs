namespace MeshProxy.Xds.Protobuf;

/// <summary>Validation rules of one field, with the meanings protoc-gen-validate gives them.</summary>
public sealed class FieldRules
{
    public bool Required { get; private set; }

    /// <summary>The message is not looked into.</summary>
    public bool Skip { get; private set; }

    public bool IgnoreEmpty { get; private set; }

    public bool? Const { get; private set; }

    /// <summary>Bounds of numbers; of durations in nanoseconds.</summary>
    public decimal? LessThan { get; private set; }

    public decimal? AtMost { get; private set; }

    public decimal? GreaterThan { get; private set; }

    public decimal? AtLeast { get; private set; }

    public bool DefinedOnly { get; private set; }

    public IReadOnlyList<string>? In { get; private set; }

    public IReadOnlyList<string>? NotIn { get; private set; }

    /// <summary>In characters (Unicode code points); of bytes fields in bytes.</summary>
    public long? MinimumLength { get; private set; }

    public long? MaximumLength { get; private set; }

    public long? MaximumBytes { get; private set; }

    public string? Pattern { get; private set; }

    public string? Prefix { get; private set; }

    public string? Suffix { get; private set; }

    /// <summary><c>HTTP_HEADER_NAME</c> or <c>HTTP_HEADER_VALUE</c>.</summary>
    public string? WellKnownRegex { get; private set; }

    /// <summary>False: header rules refuse only what would break framing.</summary>
    public bool Strict { get; private set; } = true;

    public long? MinimumItems { get; private set; }

    public long? MaximumItems { get; private set; }

    public bool Unique { get; private set; }

    public FieldRules? Items { get; private set; }

    public FieldRules? Keys { get; private set; }

    public FieldRules? Values { get; private set; }

    internal static FieldRules Read(SchemaReader reader) => ReadKinds(ref reader);

    private static FieldRules ReadKinds(ref SchemaReader reader)
    {
        var rules = new FieldRules();
        for (var kinds = RuleReader.Members(ref reader); kinds > 0; kinds--)
        {
            // The kind repeats what the field's own type says.
            reader.ReadString();
            for (var members = RuleReader.Members(ref reader); members > 0; members--)
            {
                rules.ReadRule(reader.ReadString(), ref reader);
            }
        }

        return rules;
    }

    private void ReadRule(string name, ref SchemaReader reader)
    {
        switch (name)
        {
            case "required": Required = RuleReader.Flag(ref reader); break;
            case "skip": Skip = RuleReader.Flag(ref reader); break;
            case "ignore_empty": IgnoreEmpty = RuleReader.Flag(ref reader); break;
            case "const": Const = RuleReader.Flag(ref reader); break;
            case "lt": LessThan = RuleReader.Bound(ref reader); break;
            case "lte": AtMost = RuleReader.Bound(ref reader); break;
            case "gt": GreaterThan = RuleReader.Bound(ref reader); break;
            case "gte": AtLeast = RuleReader.Bound(ref reader); break;
            case "defined_only": DefinedOnly = RuleReader.Flag(ref reader); break;
            case "in": In = RuleReader.Texts(ref reader); break;
            case "not_in": NotIn = RuleReader.Texts(ref reader); break;
            case "min_len": MinimumLength = RuleReader.Length(ref reader); break;
            case "max_len": MaximumLength = RuleReader.Length(ref reader); break;
            case "max_bytes": MaximumBytes = RuleReader.Length(ref reader); break;
            case "pattern": Pattern = RuleReader.Text(ref reader); break;
            case "prefix": Prefix = RuleReader.Text(ref reader); break;
            case "suffix": Suffix = RuleReader.Text(ref reader); break;
            case "well_known_regex": WellKnownRegex = RuleReader.Text(ref reader); break;
            case "strict": Strict = RuleReader.Flag(ref reader); break;
            case "min_items" or "min_pairs": MinimumItems = RuleReader.Length(ref reader); break;
            case "max_items" or "max_pairs": MaximumItems = RuleReader.Length(ref reader); break;
            case "unique": Unique = RuleReader.Flag(ref reader); break;
            case "items": Items = ReadKinds(ref reader); break;
            case "keys": Keys = ReadKinds(ref reader); break;
            case "values": Values = ReadKinds(ref reader); break;
            default:
                throw new InvalidOperationException($"rule '{name}' of the interface table has no implementation");
        }
    }
}
