using MeshProxy.Xds.Bootstrap;
using Xunit;

namespace MeshProxy.Xds.Tests.Bootstrap;

public sealed class EnvoyOptionsTests
{
    [Fact]
    public void DefaultsAreEnvoys()
    {
        var options = EnvoyOptions.Parse([]);

        Assert.Equal((RunIntent.Run, ServerMode.Serve, LogLevel.Info), (options.Intent, options.Mode, options.LogLevel));
        Assert.Equal(TimeSpan.FromSeconds(600), options.DrainTime);
        Assert.Equal(TimeSpan.FromSeconds(10), options.FileFlushInterval);
        Assert.Equal(64U, options.FileFlushMinimumSizeKb);
        Assert.Null(options.Concurrency);
        Assert.False(options.DrainsImmediately);
    }

    [Fact]
    public void ValuesStandBehindTheirFlagOrAnEqualsSign()
    {
        var options = EnvoyOptions.Parse(
            ["-c", "a.yaml", "--concurrency=0", "-l", "debug", "--mode", "validate", "--component-log-level", "http:trace,rbac:off",
             "--stats-tag", "a:b", "--stats-tag", "c:d", "--socket-mode", "600", "--config-yaml", "--not-a-flag: 1"]);

        Assert.Equal(("a.yaml", 1U), (options.ConfigPath, options.Concurrency));
        Assert.Equal((LogLevel.Debug, ServerMode.Validate), (options.LogLevel, options.Mode));
        Assert.Equal(LogLevel.Trace, options.ComponentLogLevels["http"]);
        Assert.Equal([new("a", "b"), new("c", "d")], options.StatsTags);
        Assert.Equal(0b110_000_000U, options.SocketMode);
        Assert.Equal("--not-a-flag: 1", options.ConfigYaml);
    }

    [Theory]
    [InlineData("--help", RunIntent.ShowHelp)]
    [InlineData("-h", RunIntent.ShowHelp)]
    [InlineData("--version", RunIntent.ShowVersion)]
    public void ItOnlyTells(string argument, RunIntent intent) => Assert.Equal(intent, EnvoyOptions.Parse([argument]).Intent);

    [Theory]
    [InlineData("the argument --no-such is unknown", "--no-such")]
    [InlineData("the argument stray is unknown", "stray")]
    [InlineData("--concurrency needs a value", "--concurrency")]
    [InlineData("--drain-time-s cannot be \"soon\"", "--drain-time-s", "soon")]
    [InlineData("--drain-time-s cannot be \"-1\"", "--drain-time-s", "-1")]
    [InlineData("--drain-strategy cannot be \"sometimes\"", "--drain-strategy", "sometimes")]
    [InlineData("--component-log-level cannot be \"loud\"", "--component-log-level", "misc:loud")]
    [InlineData("--mode cannot be \"x\"", "--mode", "x")]
    [InlineData("--stats-tag cannot be \"a\"", "--stats-tag", "a")]
    [InlineData("is given twice", "-c", "a", "--config-path", "b")]
    [InlineData("takes no value", "--disable-hot-restart=true")]
    public void ABadCommandLineIsRefusedByName(string sentence, params string[] arguments)
    {
        var error = Assert.Throws<OptionsException>(() => EnvoyOptions.Parse(arguments));

        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HelpNamesEveryFlag() => Assert.Contains("--file-flush-min-size-kb <kibibytes>", EnvoyOptions.Help, StringComparison.Ordinal);
}
