using System.CommandLine;
using MeshProxy.Injection.Configuration;
using MeshProxy.Injection.Documents;
using MeshProxy.Injection.Offline;

namespace MeshProxy.Cli;

/// <summary>`meshproxy inject`: puts the proxy into the workloads of a manifest, without a cluster.</summary>
internal static class InjectCommand
{
    // As `diff` has 1 for "differs" and 2 for trouble, a script can tell the two apart.
    private const int NotInjected = 3;

    private static readonly Option<string> Input = new("--filename", "-f")
    {
        Description = "The manifest; - is standard input.",
        Required = true,
    };

    private static readonly Option<string?> Output = new("--output", "-o") { Description = "The file to write, instead of standard output." };
    private static readonly Option<string?> ValuesFile = new("--valuesFile") { Description = "Values of the istiod chart that differ from its defaults." };
    private static readonly Option<string?> MeshFile = new("--meshConfigFile") { Description = "A part of MeshConfig." };
    private static readonly Option<string> Revision = new("--revision", "-r") { Description = "The control plane's revision.", DefaultValueFactory = _ => "" };

    private static readonly Option<string[]> Assignments = new("--set") { Description = "One value, as global.tag=1.2.3; may be repeated." };

    private static readonly Option<bool> Check = new("--check") { Description = $"Write nothing; exit with {NotInjected} if injection would change the manifest." };

    public static int Run(string[] arguments)
    {
        var command = new Command("inject", "Puts the proxy into the workloads of a manifest.")
        {
            Input, Output, ValuesFile, MeshFile, Revision, Assignments, Check,
        };
        command.SetAction(Start);
        return CommandLine.Invoke(command, arguments);
    }

    private static int Start(ParseResult line)
    {
        try
        {
            var manifest = line.GetValue(Input) == "-" ? Console.In.ReadToEnd() : Read(line.GetValue(Input)!);
            var injected = new ManifestInjector(Settings(line), Console.Error.WriteLine).Inject(manifest);
            if (line.GetValue(Check))
                return injected == manifest ? 0 : NotInjected;
            Write(line.GetValue(Output), injected);
            return 0;
        }
        catch (Exception e) when (e is ManifestException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"Error: {e.Message}");
            return 1;
        }
    }

    private static OfflineSettings Settings(ParseResult line)
    {
        var valuesFile = line.GetValue(ValuesFile);
        var yaml = valuesFile is null ? null : Read(valuesFile);
        yaml = ValueAssignments.Apply(yaml, line.GetValue(Assignments) ?? [], valuesFile ?? "--set");
        var values = ValuesReader.Read(yaml, valuesFile ?? "--set", Console.Error.WriteLine);
        if (values.Hub.Contains("{{", StringComparison.Ordinal) && !values.Proxy.Image.Contains('/', StringComparison.Ordinal))
            Console.Error.WriteLine("The image's registry and version are unknown to this build: "
                + "give them with --set global.hub=REGISTRY --set global.tag=VERSION");
        var meshFile = line.GetValue(MeshFile);
        return new OfflineSettings
        {
            Values = values,
            Mesh = MeshSettings.Read(meshFile is null ? null : Read(meshFile), meshFile ?? "the mesh configuration", values, Console.Error.WriteLine),
            Revision = line.GetValue(Revision)!,
            NativeSidecars = NativeSidecarModes.Parse(Environment.GetEnvironmentVariable("ENABLE_NATIVE_SIDECARS"))
                == NativeSidecarMode.Always,
            CompliancePolicy = Environment.GetEnvironmentVariable("COMPLIANCE_POLICY") ?? "",
        };
    }

    private static string Read(string file) => File.Exists(file)
        ? File.ReadAllText(file)
        : throw new ManifestException($"{file} does not exist: name a file, or - for standard input");

    // A reader of the file sees the old or the new content, never a half.
    private static void Write(string? file, string text)
    {
        if (file is null)
        {
            Console.Out.Write(text);
            Console.Out.Flush();
            return;
        }
        var part = file + ".part";
        File.WriteAllText(part, text);
        File.Move(part, file, overwrite: true);
    }
}
