using MeshProxy.Xds.Protobuf;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace MeshProxy.Xds.Mapping;

/// <summary>
/// Reads the first document of a YAML stream into nodes as Envoy does: of duplicate keys the last counts, there are no
/// merge keys, a quoted scalar is text, a key tagged <c>!ignore</c> is left out.
/// </summary>
internal sealed class YamlDocumentReader
{
    private const string IgnoreTag = "!ignore";

    /// <summary>Our own bound: aliases of aliases grow without end, no configuration comes near it.</summary>
    private const long MaximumSize = 10_000_000;

    private readonly Parser _parser;
    private readonly Dictionary<string, ConfigNode> _anchors = new(StringComparer.Ordinal);

    private YamlDocumentReader(TextReader text) => _parser = new Parser(text);

    /// <exception cref="ProtobufException">The text is not YAML.</exception>
    public static ConfigNode Read(string yaml) => Guarded(() => new YamlDocumentReader(new StringReader(yaml)).ReadFirstDocument());

    /// <summary>All documents of the stream, for files in which each stands for itself.</summary>
    /// <exception cref="ProtobufException">The text is not YAML.</exception>
    public static IReadOnlyList<ConfigNode> ReadAll(string yaml) =>
        Guarded(() => new YamlDocumentReader(new StringReader(yaml)).ReadDocuments());

    private static T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (YamlException error)
        {
            throw new ProtobufException(
                $"the YAML is malformed at line {error.Start.Line}, column {error.Start.Column}: {error.Message.TrimEnd('.')}");
        }
    }

    private ConfigNode ReadFirstDocument()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _))
        {
            return ConfigNode.Null;
        }

        return ReadDocument();
    }

    private List<ConfigNode> ReadDocuments()
    {
        _parser.Consume<StreamStart>();
        var documents = new List<ConfigNode>();
        while (!_parser.Accept<StreamEnd>(out _))
        {
            documents.Add(ReadDocument());
            _anchors.Clear();
        }

        return documents;
    }

    private ConfigNode ReadDocument()
    {
        _parser.Consume<DocumentStart>();
        var root = ReadNode(0);
        _parser.Consume<DocumentEnd>();
        return root;
    }

    private ConfigNode ReadNode(int depth)
    {
        if (depth > MessageParser.MaximumDepth)
        {
            throw new ProtobufException($"the YAML is nested more than {MessageParser.MaximumDepth} levels deep");
        }

        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            return _anchors.TryGetValue(alias.Value.Value, out var known)
                ? known
                : throw new ProtobufException($"the YAML refers to the anchor {alias.Value.Value}, which is not defined before");
        }

        var start = _parser.Current as NodeEvent;
        var node = _parser.Current switch
        {
            Scalar scalar => ReadScalar(scalar),
            SequenceStart => ReadList(depth),
            _ => ReadObject(depth),
        };
        if (node.Size > MaximumSize)
        {
            throw new ProtobufException($"the YAML expands to more than {MaximumSize} values: use fewer aliases");
        }

        if (start is { Anchor.IsEmpty: false })
        {
            _anchors[start.Anchor.Value] = node;
        }

        return node;
    }

    private ConfigNode ReadScalar(Scalar scalar)
    {
        _parser.MoveNext();
        return scalar.Style is ScalarStyle.Plain && scalar.Tag != "!"
            ? YamlScalars.Plain(scalar.Value)
            : ConfigNode.OfText(scalar.Value);
    }

    private ConfigNode ReadList(int depth)
    {
        _parser.Consume<SequenceStart>();
        var items = new List<ConfigNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(ReadNode(depth + 1));
        }

        return ConfigNode.OfList(items);
    }

    private ConfigNode ReadObject(int depth)
    {
        _parser.Consume<MappingStart>();
        var members = new List<KeyValuePair<string, ConfigNode>>();
        var positions = new Dictionary<string, int>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var (key, isIgnored) = ReadKey();
            var value = ReadNode(depth + 1);
            if (isIgnored)
            {
                continue;
            }

            if (positions.TryAdd(key, members.Count))
            {
                members.Add(new(key, value));
            }
            else
            {
                members[positions[key]] = new(key, value);
            }
        }

        return ConfigNode.OfObject(members);
    }

    private (string Key, bool IsIgnored) ReadKey()
    {
        if (_parser.TryConsume<Scalar>(out var scalar))
        {
            return (scalar.Value, !scalar.Tag.IsEmpty && scalar.Tag == IgnoreTag);
        }

        if (_parser.TryConsume<AnchorAlias>(out var alias)
            && _anchors.TryGetValue(alias.Value.Value, out var known) && known.Kind is NodeKind.Text or NodeKind.Number)
        {
            return (known.Text, false);
        }

        throw new ProtobufException($"the YAML has a key that is not text, at line {_parser.Current!.Start.Line}");
    }
}
