using System.Text;
using System.Text.Json;

namespace MeshProxy.SchemaGenerator;

/// <summary>
/// Writes the compact table the runtime embeds: little-endian offsets up front, so that one type can be read without
/// its neighbours, and varints behind them.
/// </summary>
internal sealed class SchemaBinary
{
    private const uint Magic = 0x3153504D; // "MPS1"

    private readonly List<string> _strings = [];
    private readonly Dictionary<string, int> _stringIds = new(StringComparer.Ordinal);

    public static byte[] Write(SchemaTables tables) => new SchemaBinary().WriteTables(tables);

    private byte[] WriteTables(SchemaTables tables)
    {
        var records = new MemoryStream();
        var offsets = new List<int>();
        foreach (var type in tables.Messages)
        {
            offsets.Add((int)records.Position);
            WriteMessage(records, tables, type);
        }

        foreach (var type in tables.Enums)
        {
            offsets.Add((int)records.Position);
            WriteEnum(records, type);
        }

        return Assemble(tables, offsets, records);
    }

    private byte[] Assemble(SchemaTables tables, List<int> offsets, MemoryStream records)
    {
        var texts = _strings.Select(Encoding.UTF8.GetBytes).ToList();
        var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write(Magic);
        writer.Write(_strings.Count);
        writer.Write(tables.Messages.Count);
        writer.Write(tables.Enums.Count);
        var position = 0;
        foreach (var text in texts)
        {
            writer.Write(position);
            position += text.Length;
        }

        writer.Write(position);
        offsets.ForEach(writer.Write);
        texts.ForEach(writer.Write);
        writer.Write(records.ToArray());
        writer.Flush();
        return file.ToArray();
    }

    private void WriteMessage(MemoryStream output, SchemaTables tables, TypeModel type)
    {
        WriteString(output, type.FullName);
        WriteVarint(output, (uint)type.Fields.Count);
        foreach (var field in type.Fields)
        {
            WriteField(output, tables, type, field);
        }

        WriteVarint(output, (uint)type.Oneofs.Count);
        foreach (var (name, required) in type.Oneofs)
        {
            WriteString(output, name);
            output.WriteByte(required ? (byte)1 : (byte)0);
        }

        WriteVarint(output, (uint)type.Removed.Count);
        foreach (var name in type.Removed)
        {
            WriteString(output, name);
        }
    }

    private void WriteField(MemoryStream output, SchemaTables tables, TypeModel type, FieldModel field)
    {
        WriteString(output, field.Name);
        WriteVarint(output, (uint)field.Number);
        output.WriteByte((byte)field.Kind);
        output.WriteByte((byte)((field.IsRepeated ? 1 : 0) | (field.IsMap ? 2 : 0) | (field.IsWrapper ? 4 : 0)
            | (field.HasPresence ? 8 : 0) | (field.IsDeprecated ? 16 : 0) | (field.IsSensitive ? 32 : 0)));
        output.WriteByte((byte)field.KeyKind);
        WriteVarint(output, field.TypeName == null ? 0 : (uint)tables.Find(field.TypeName).Index + 1);
        WriteVarint(output, (uint)type.OneofIndex(field) + 1);
        var rules = new MemoryStream();
        if (field.Rules is { } declared)
        {
            WriteRules(rules, declared);
        }

        WriteVarint(output, (uint)rules.Length);
        rules.WriteTo(output);
    }

    private void WriteEnum(MemoryStream output, TypeModel type)
    {
        WriteString(output, type.FullName);
        WriteVarint(output, (uint)type.Values.Count);
        foreach (var (name, number) in type.Values)
        {
            WriteString(output, name);
            WriteVarint(output, (uint)((number << 1) ^ (number >> 31)));
        }
    }

    /// <summary>An object as its member count and name, value pairs; a list likewise; everything else as text.</summary>
    private void WriteRules(MemoryStream output, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                output.WriteByte((byte)'{');
                WriteVarint(output, (uint)value.EnumerateObject().Count());
                foreach (var member in value.EnumerateObject())
                {
                    WriteString(output, member.Name);
                    WriteRules(output, member.Value);
                }

                break;
            case JsonValueKind.Array:
                output.WriteByte((byte)'[');
                WriteVarint(output, (uint)value.GetArrayLength());
                foreach (var item in value.EnumerateArray())
                {
                    WriteRules(output, item);
                }

                break;
            default:
                output.WriteByte((byte)'s');
                WriteString(output, value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText());
                break;
        }
    }

    private void WriteString(MemoryStream output, string text)
    {
        if (!_stringIds.TryGetValue(text, out var id))
        {
            id = _strings.Count;
            _strings.Add(text);
            _stringIds.Add(text, id);
        }

        WriteVarint(output, (uint)id);
    }

    private static void WriteVarint(MemoryStream output, uint value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            output.WriteByte((byte)(value | 0x80));
        }

        output.WriteByte((byte)value);
    }
}
