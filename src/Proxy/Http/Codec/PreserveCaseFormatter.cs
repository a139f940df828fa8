using System.Text;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>
/// Remembers how one message spelled its names and repeats that when the message is written on (preserve_case). The
/// first spelling of a name counts for all its lines, as in Envoy.
/// </summary>
internal sealed class PreserveCaseFormatter(Http1Settings settings) : HeaderKeyFormatter
{
    private readonly List<byte[]> _spellings = [];
    private byte[] _reasonPhrase = [];

    public override ReadOnlySpan<byte> ReasonPhrase => _reasonPhrase;

    public void RememberReasonPhrase(ReadOnlySpan<byte> phrase)
    {
        if (settings.ForwardReasonPhrase)
        {
            _reasonPhrase = phrase.ToArray();
        }
    }

    public void Remember(ReadOnlySpan<byte> spelling)
    {
        if (Find(spelling) is null)
        {
            _spellings.Add(spelling.ToArray());
        }
    }

    public override void Format(ReadOnlySpan<byte> name, Span<byte> destination)
    {
        if (Find(name) is { } spelling)
        {
            spelling.CopyTo(destination);
        }
        else if (settings.ProperCaseForAddedHeaders)
        {
            ProperCaseFormatter.Instance.Format(name, destination);
        }
        else
        {
            name.CopyTo(destination);
        }
    }

    private byte[]? Find(ReadOnlySpan<byte> name)
    {
        foreach (var spelling in _spellings)
        {
            if (spelling.Length == name.Length && Ascii.EqualsIgnoreCase(spelling, name))
            {
                return spelling;
            }
        }
        return null;
    }
}
