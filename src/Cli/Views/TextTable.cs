namespace MeshProxy.Cli.Views;

/// <summary>Columns aligned by blanks, as kubectl and istioctl print them.</summary>
internal sealed class TextTable(params string[] headings)
{
    // tabwriter's padding in istioctl.
    private const int Gap = 5;

    private readonly List<string[]> _rows = [headings];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Write(TextWriter output)
    {
        var widths = new int[headings.Length];
        foreach (var row in _rows)
        {
            for (var i = 0; i < row.Length; i++)
            {
                widths[i] = Math.Max(widths[i], row[i].Length);
            }
        }
        foreach (var row in _rows)
        {
            var cells = row.Select((cell, i) => i == row.Length - 1 ? cell : cell.PadRight(widths[i] + Gap));
            output.WriteLine(string.Concat(cells).TrimEnd());
        }
    }
}
