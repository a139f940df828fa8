using MeshProxy.SchemaGenerator;
using Xunit;

namespace MeshProxy.Xds.Tests;

public sealed class GeneratedOutputTests
{
    [Fact]
    public void GeneratedFilesAreWhatTheTablesSay()
    {
        var expected = Outputs.Of(Repository.Xds);

        var present = Directory.EnumerateFiles(Path.Combine(Repository.Xds, "Generated"))
            .Select(file => Path.GetRelativePath(Repository.Xds, file));
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), present.Order(StringComparer.Ordinal));
        foreach (var (path, content) in expected)
        {
            Assert.True(
                content.AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(Repository.Xds, path))),
                $"{path} is not what the tables say: dotnet run --project tools/SchemaGenerator -- generate src/Xds");
        }
    }
}
