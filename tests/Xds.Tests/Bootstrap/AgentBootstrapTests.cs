using MeshProxy.Xds.Bootstrap;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Xds.Tests.Bootstrap;

/// <summary>Bootstraps and command lines that pilot-agent really wrote.</summary>
public sealed class AgentBootstrapTests
{
    public static TheoryData<string> Cases =>
        [.. Directory.EnumerateDirectories(Repository.Agents).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void AnAgentsBootstrapIsWhollyUnderstood(string name)
    {
        var folder = Path.Combine(Repository.Agents, name);
        var arguments = File.ReadAllLines(Path.Combine(folder, "argv.txt")).Skip(1).ToList();
        arguments[arguments.IndexOf("-c") + 1] = Path.Combine(folder, "bootstrap.json");

        var options = EnvoyOptions.Parse(arguments);
        var loaded = BootstrapLoader.Load(options);

        Assert.Empty(loaded.UnknownFields);
        Assert.True(options.AllowUnknownStaticFields && options.DrainsImmediately && options.DisableHotRestart);
        Assert.Contains(loaded.Bootstrap.StaticResourcesValue!.Value.Clusters, cluster => cluster.Name == "xds-grpc");
        Assert.Equal(loaded.Bootstrap.Message, Message.Parse(loaded.Bootstrap.Message.Type, loaded.Bootstrap.Message.ToBytes()));
    }

    [Fact]
    public void TheTextOfTheCommandLineIsMergedOverTheFile()
    {
        var folder = Path.Combine(Repository.Agents, "concurrency");
        var arguments = File.ReadAllLines(Path.Combine(folder, "argv.txt")).Skip(1).ToList();
        arguments[arguments.IndexOf("-c") + 1] = Path.Combine(folder, "bootstrap.json");

        var bootstrap = BootstrapLoader.Load(EnvoyOptions.Parse(arguments)).Bootstrap;

        Assert.Equal(TimeSpan.FromSeconds(7), bootstrap.StatsFlushInterval);
        Assert.True(bootstrap.Node!.Value.Metadata!.Value.Fields.TryGetValue("EXTRA", out var extra));
        Assert.Equal("192.168.1.5", extra.StringValue);
        Assert.True(bootstrap.Node!.Value.Metadata!.Value.Fields.Count > 1);
    }
}
