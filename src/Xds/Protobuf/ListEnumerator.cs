using System.Collections;

namespace MeshProxy.Xds.Protobuf;

/// <summary>Walks a list view without allocating.</summary>
public struct ListEnumerator<T, TList>(TList list) : IEnumerator<T>
    where TList : struct, IReadOnlyList<T>
{
    private readonly TList _list = list;
    private int _position = -1;

    public readonly T Current => _list[_position];

    readonly object? IEnumerator.Current => Current;

    public bool MoveNext() => ++_position < _list.Count;

    public void Reset() => _position = -1;

    public readonly void Dispose()
    {
    }
}
