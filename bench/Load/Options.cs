using System.Globalization;

namespace MeshProxy.Bench.Load;

/// <summary>What to measure, for how long.</summary>
internal sealed record Options
{
    public const string Help =
        """
        bench/run [--quick] [--only NAME[,NAME]] [--rounds N] [--seconds S] [--connections N] [--rate N] [--executable FILE] [--list]

          --quick          a minute in all: fewer and shorter rounds
          --only           these alone: a scenario, or `ready`, `memory`, `clusters`
          --rounds         rounds of each scenario, peers interleaved in each (5)
          --seconds        seconds of load per peer and round (2)
          --connections    connections of the load (32)
          --rate           requests a second while p50 and p99 are taken (1000)
          --executable     the meshproxy to measure (out/meshproxy)
          --out            where results and the configurations used are kept (out/bench)
        """;

    public IReadOnlyList<string> Only { get; init; } = [];
    public int Rounds { get; init; } = 5;
    public int Seconds { get; init; } = 2;
    public int Connections { get; init; } = 32;
    public int Rate { get; init; } = 1000;
    public string Executable { get; init; } = "out/meshproxy";
    public string Out { get; init; } = "out/bench";
    public bool Quick { get; init; }
    public bool List { get; init; }
    public bool ShowHelp { get; init; }

    public bool Wants(string name) => Only.Count == 0 || Only.Contains(name);

    public static Options Parse(IReadOnlyList<string> arguments)
    {
        var options = new Options();
        if (arguments.Contains("--quick"))
            options = options with { Quick = true, Rounds = 3, Seconds = 1 };
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i];
            string Value() => ++i < arguments.Count ? arguments[i] : throw new BenchException($"{name} needs a value");
            options = name switch
            {
                "--quick" => options,
                "--list" => options with { List = true },
                "--help" or "-h" => options with { ShowHelp = true },
                "--only" => options with { Only = Value().Split(',') },
                "--rounds" => options with { Rounds = Number(name, Value()) },
                "--seconds" => options with { Seconds = Number(name, Value()) },
                "--connections" => options with { Connections = Number(name, Value()) },
                "--rate" => options with { Rate = Number(name, Value()) },
                "--executable" => options with { Executable = Value() },
                "--out" => options with { Out = Value() },
                _ => throw new BenchException($"{name} is no option of the benchmark:\n{Help}"),
            };
        }
        return options;
    }

    private static int Number(string name, string text) =>
        int.TryParse(text, CultureInfo.InvariantCulture, out var value) && value > 0
            ? value
            : throw new BenchException($"{name} needs a whole number above 0, not {text}");
}
