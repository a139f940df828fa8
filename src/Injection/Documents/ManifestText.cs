namespace MeshProxy.Injection.Documents;

/// <summary>
/// A file of YAML documents as its parts: separator lines and the text between them. Joined unchanged they are the file
/// again byte for byte, so that what is not injected is not touched.
/// </summary>
internal static class ManifestText
{
    internal readonly record struct Part(string Text, bool IsSeparator);

    public static IEnumerable<Part> Split(string text)
    {
        var start = 0;
        for (var line = 0; line < text.Length;)
        {
            var next = text.IndexOf('\n', line);
            next = next < 0 ? text.Length : next + 1;
            if (IsSeparator(text.AsSpan(line, next - line)))
            {
                if (line > start)
                    yield return new Part(text[start..line], IsSeparator: false);
                yield return new Part(text[line..next], IsSeparator: true);
                start = next;
            }
            line = next;
        }
        if (start < text.Length)
            yield return new Part(text[start..], IsSeparator: false);
    }

    // A marker with content behind it (`--- {a: 1}`) belongs to the document: only markers alone or with a comment separate.
    private static bool IsSeparator(ReadOnlySpan<char> line)
    {
        if (!line.StartsWith("---"))
            return false;
        var rest = line[3..].TrimEnd();
        return rest.IsEmpty || (char.IsWhiteSpace(rest[0]) && rest.TrimStart().StartsWith("#"));
    }
}
