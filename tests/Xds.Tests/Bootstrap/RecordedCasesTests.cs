using MeshProxy.Xds.Bootstrap;
using MeshProxy.Xds.Protobuf;
using Xunit;
using Xunit.Abstractions;

namespace MeshProxy.Xds.Tests.Bootstrap;

/// <summary>
/// Bootstraps that Envoy was seen to take or refuse. Rules of the tables refuse a part of the refused; the others need
/// more than one field to be seen, and are refused where configuration is compiled.
/// </summary>
public sealed class RecordedCasesTests(ITestOutputHelper output)
{
    /// <summary>How many of the refused ones the tables refuse: a lower number is a rule lost.</summary>
    private const int RefusedByTables = 232;

    [Fact]
    public void WhatEnvoyTakesIsTakenAndTheRulesRefuseTheirPart()
    {
        var wronglyRefused = new List<string>();
        var refused = 0;
        var expectedRefusals = 0;
        foreach (var recorded in RecordedCase.All())
        {
            var error = Load(recorded);
            if (recorded.IsAccepted && error != null)
            {
                wronglyRefused.Add($"{recorded.Name}: {error}");
            }

            if (!recorded.IsAccepted)
            {
                expectedRefusals++;
                refused += error == null ? 0 : 1;
                output.WriteLine($"{recorded.Name}: {error ?? "taken by the tables"}");
            }
        }

        output.WriteLine($"{refused} of {expectedRefusals} refused by the tables");
        Assert.True(wronglyRefused.Count == 0, string.Join("\n", wronglyRefused));
        Assert.True(refused >= RefusedByTables, $"only {refused} of {expectedRefusals} are refused");
    }

    private static string? Load(RecordedCase recorded)
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.{recorded.Extension}");
        try
        {
            var arguments = new List<string>();
            if (recorded.Text != null)
            {
                File.WriteAllText(path, recorded.Text);
                arguments.AddRange(["-c", path]);
            }

            arguments.AddRange(recorded.Arguments);
            BootstrapLoader.Load(EnvoyOptions.Parse(arguments));
            return null;
        }
        catch (Exception error) when (error is ProtobufException or OptionsException)
        {
            return error.Message.Replace(path, "bootstrap", StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
