using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability.AccessLogs;
using MeshProxy.Proxy.Observability.Statistics;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.AccessLogs;

public sealed class LogFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("log-files").FullName;
    private readonly StatsStore _store = new(loopCount: 1);

    private string PathOf(string name) => Path.Combine(_folder, name);

    private LogFiles Make() => new(1, Timeout.InfiniteTimeSpan, LogFiles.DefaultFlushBytes, _store.Root);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void LinesAreAppendedToWhatIsThereInTheirOrder()
    {
        File.WriteAllText(PathOf("a.log"), "earlier\n");
        using (var files = Make())
        {
            var file = files.Open(PathOf("a.log"));
            for (var i = 0; i < 3; i++)
            {
                file.Write(Encoding.ASCII.GetBytes($"line {i}\n"));
            }
        }
        Assert.Equal("earlier\nline 0\nline 1\nline 2\n", File.ReadAllText(PathOf("a.log")));
    }

    [Fact]
    public void OnePathIsOneFile()
    {
        using var files = Make();
        Assert.Same(files.Open(PathOf("a.log")), files.Open(PathOf("a.log")));
    }

    [Fact]
    public void AFileThatWasMovedIsMadeAnewWhenReopened()
    {
        using var files = Make();
        var file = files.Open(PathOf("a.log"));
        file.Write("old\n"u8);
        files.Flush();
        File.Move(PathOf("a.log"), PathOf("a.log.1"));

        files.ReopenAll();
        file.Write("new\n"u8);
        files.Flush();

        Assert.Equal("old\n", File.ReadAllText(PathOf("a.log.1")));
        Assert.Equal("new\n", File.ReadAllText(PathOf("a.log")));
    }

    [Fact]
    public void APathThatCannotBeOpenedIsRefused()
    {
        using var files = Make();
        var error = Assert.Throws<ConfigurationException>(() => files.Open(PathOf("no/such/a.log")));
        Assert.Contains("no/such/a.log", error.Message);
    }
}
