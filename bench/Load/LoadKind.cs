namespace MeshProxy.Bench.Load;

/// <summary>What the clients of a scenario speak.</summary>
internal enum LoadKind
{
    Http1,
    Https1,
    Http2,
}
