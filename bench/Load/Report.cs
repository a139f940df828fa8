namespace MeshProxy.Bench.Load;

/// <summary>Markdown, printed and kept.</summary>
internal sealed class Report(string path) : IDisposable
{
    private readonly StreamWriter _file = new(path) { AutoFlush = true };

    public void Heading(string text) => Line($"\n### {text}\n");

    public void Header(params string[] columns)
    {
        Row(columns);
        Row([.. columns.Select(static _ => "---")]);
    }

    public void Row(params string[] cells) => Line($"| {string.Join(" | ", cells)} |");

    public void Line(string text)
    {
        Console.WriteLine(text);
        _file.WriteLine(text);
    }

    public void Dispose() => _file.Dispose();
}
