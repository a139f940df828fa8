using System.Text.RegularExpressions;

namespace MeshProxy.Bench.Load;

/// <summary>Where configurations come from and go to, and how each peer is started. Two workers each.</summary>
internal sealed partial class Workshop
{
    private const string Body = "0123456789abcdef";

    // 64 times 16: the 1,024 bytes of the backend's answer.
    private const int BodyRepeats = 64;

    private readonly string _executable;
    private readonly string _configurations;
    private readonly CapturedResources _captured;

    public Workshop(Options options, string repository)
    {
        _executable = Path.GetFullPath(options.Executable);
        if (!File.Exists(_executable)) throw new BenchException($"{_executable} is missing: ./mesh build makes it, or name one with --executable");
        Repository = repository;
        Root = Path.GetFullPath(options.Out);
        _configurations = Path.Combine(repository, "bench/Load/configurations");
        _captured = new CapturedResources(repository);
        Certificates.Write(Path.Combine(Root, "certificates"));
        Peers = [.. Enum.GetValues<PeerKind>().Where(kind => kind == PeerKind.MeshProxy || OnPath(Program(kind)))];
    }

    public string Repository { get; }

    public string Root { get; }

    public string Executable => _executable;

    /// <summary>Meshproxy and those of the others that this machine has.</summary>
    public IReadOnlyList<PeerKind> Peers { get; }

    public bool Takes(Scenario scenario, PeerKind kind) =>
        kind is PeerKind.MeshProxy or PeerKind.Envoy || File.Exists(ConfigurationPath(scenario.Folder, scenario.Hops[0], kind));

    public string Configuration(Scenario scenario, string hop, PeerKind kind) =>
        scenario.Captured is { } captured && kind is PeerKind.MeshProxy or PeerKind.Envoy
            ? captured(_captured)
            : File.ReadAllText(ConfigurationPath(scenario.Folder, hop, kind));

    public string Folder(string name)
    {
        var path = Path.Combine(Root, name.ToLowerInvariant());
        Directory.CreateDirectory(path);
        return path;
    }

    public string Fill(string text, Dictionary<string, string> values)
    {
        values["certificates"] = Path.Combine(Root, "certificates");
        values["body"] = string.Concat(Enumerable.Repeat(Body, BodyRepeats));
        return Placeholder().Replace(text, match => values.TryGetValue(match.Groups[1].Value, out var value)
            ? value
            : throw new BenchException($"a configuration has the placeholder {match.Value}, which nothing fills"));
    }

    public (string File, string[] Arguments) CommandLine(PeerKind kind, string configuration, string folder) => kind switch
    {
        PeerKind.Nginx => (Program(kind), ["-c", configuration, "-p", folder, "-e", Path.Combine(folder, "error.log")]),
        PeerKind.HaProxy => (Program(kind), ["-f", configuration, "-db"]),
        _ => (Program(kind), ["-c", configuration, "--concurrency", "2", "--disable-hot-restart", "-l", "warning"]),
    };

    private string Program(PeerKind kind) => kind == PeerKind.MeshProxy ? _executable : kind.ToString().ToLowerInvariant();

    private string ConfigurationPath(string folder, string hop, PeerKind kind) =>
        Path.Combine(_configurations, folder, kind switch
        {
            PeerKind.Nginx => $"{hop}.nginx.conf",
            PeerKind.HaProxy => $"{hop}.haproxy.cfg",
            _ => $"{hop}.envoy.yaml",
        });

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex Placeholder();
}
