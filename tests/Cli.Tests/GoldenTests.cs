using System.Text;
using Xunit;

namespace MeshProxy.Cli.Tests;

/// <summary>
/// Each file in Golden is a command line, its exit status and what it prints. With UPDATE_GOLDEN=1 the files are written anew;
/// what changed in them is then to be read before it is committed.
/// </summary>
public sealed class GoldenTests
{
    public static TheoryData<string> Cases()
    {
        var cases = new TheoryData<string>();
        var root = Dumps.Source("Golden");
        foreach (var file in Directory.EnumerateFiles(root, "*.txt", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            cases.Add(Path.GetRelativePath(root, file));
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Prints_what_it_did_when_it_was_recorded(string name)
    {
        var file = Path.Combine(Dumps.Source("Golden"), name);
        var expected = File.ReadAllText(file);
        var command = expected[..expected.IndexOf('\n')];
        Assert.StartsWith("$ meshproxy ", command, StringComparison.Ordinal);
        var result = Meshproxy.Run(Words(command["$ meshproxy ".Length..]), Dumps.Directory);
        var actual = new StringBuilder(command).Append('\n');
        actual.Append($"# exit {result.Exit}\n").Append(result.Output).Append(result.Error);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(file, actual.ToString());
            return;
        }
        Assert.Equal(expected, actual.ToString());
    }

    // Quoted words hold blanks; nothing else of a shell is needed.
    private static List<string> Words(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var quoted = false;
        foreach (var letter in line + " ")
        {
            if (letter == '\'')
            {
                quoted = !quoted;
            }
            else if (letter == ' ' && !quoted)
            {
                if (word.Length > 0)
                {
                    words.Add(word.ToString());
                    word.Clear();
                }
            }
            else
            {
                word.Append(letter);
            }
        }
        return words;
    }
}
