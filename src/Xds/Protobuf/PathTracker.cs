namespace MeshProxy.Xds.Protobuf;

/// <summary>Where a walk of a document stands; written out only when something is to be said about it.</summary>
internal sealed class PathTracker
{
    private readonly List<(string? Name, int Index, string? Key)> _segments = [];

    public int Depth => _segments.Count;

    public void PushField(string name) => _segments.Add((name, 0, null));

    public void PushElement(int index) => _segments.Add((null, index, null));

    public void PushKey(string key) => _segments.Add((null, 0, key));

    public void Pop() => _segments.RemoveAt(_segments.Count - 1);

    public override string ToString()
    {
        var path = "";
        foreach (var (name, index, key) in _segments)
        {
            path = name != null ? FieldPath.Append(path, name)
                : key != null ? FieldPath.Key(path, key)
                : FieldPath.Element(path, index);
        }

        return path;
    }

    /// <summary>A refusal that names the place.</summary>
    public ProtobufException Refuse(string reason) =>
        new(Depth == 0 ? reason : $"{this}: {reason}");
}
