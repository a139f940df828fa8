namespace MeshProxy.Proxy.Observability.AccessLogs;

/// <summary>Lines of one loop that wait to be written.</summary>
internal sealed class LineBuffer
{
    // A few lines; one that grew beyond the second size for a burst is not kept.
    private const int InitialBytes = 4 * 1024;
    private const int KeptBytes = 128 * 1024;

    private byte[] _bytes = new byte[InitialBytes];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Append(ReadOnlySpan<byte> line)
    {
        if (_bytes.Length - Length < line.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + line.Length));
        }
        line.CopyTo(_bytes.AsSpan(Length));
        Length += line.Length;
    }

    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > KeptBytes)
        {
            _bytes = new byte[InitialBytes];
        }
    }
}
