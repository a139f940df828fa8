namespace MeshProxy.Xds.Protobuf;

/// <summary>An enum of the tables. Enums are open: unknown numbers are kept.</summary>
public sealed class EnumType
{
    private readonly string[] _names;
    private readonly int[] _numbers;

    internal EnumType(SchemaReader reader)
    {
        FullName = reader.ReadString();
        var count = (int)reader.ReadVarint();
        _names = new string[count];
        _numbers = new int[count];
        for (var i = 0; i < count; i++)
        {
            _names[i] = reader.ReadString();
            var zigzag = (uint)reader.ReadVarint();
            _numbers[i] = (int)(zigzag >> 1) ^ -(int)(zigzag & 1);
        }
    }

    public string FullName { get; }

    public IReadOnlyList<string> Names => _names;

    /// <summary>The first name declared for a number, or null.</summary>
    public string? NameOf(int number)
    {
        var index = Array.IndexOf(_numbers, number);
        return index < 0 ? null : _names[index];
    }

    public bool TryGetNumber(string name, out int number)
    {
        var index = Array.IndexOf(_names, name);
        number = index < 0 ? 0 : _numbers[index];
        return index >= 0;
    }
}
