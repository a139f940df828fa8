using MeshProxy.Proxy.Explanation;

namespace MeshProxy.Cli.Explain;

/// <summary>An explanation to be read: the outcome first, then a block a decision.</summary>
internal sealed class ExplanationText(TextWriter output, bool colour, bool everything)
{
    // More than this hides what matters; --all shows the rest.
    private const int MostRejected = 8;
    private const int Indent = 16;

    public void Write(string title, TrafficExplanation explanation)
    {
        output.WriteLine(Strong(title));
        output.WriteLine($"  {explanation.Outcome}");
        output.WriteLine();
        foreach (var step in explanation.Steps)
        {
            Write(step);
        }
        foreach (var warning in explanation.Warnings)
        {
            output.WriteLine($"{Strong("note".PadRight(Indent))}{warning}");
        }
    }

    private void Write(ExplanationStep step)
    {
        output.WriteLine($"{Strong(step.Stage.PadRight(Indent))}{(step.Chosen.Length > 0 ? step.Chosen : "(none)")}");
        Line(step.Why);
        foreach (var detail in Limited(step.Details))
        {
            Line($"- {detail}");
        }
        foreach (var rejected in Limited(step.Rejected))
        {
            Line(Faint($"not {rejected.Name}: {rejected.Why}"));
        }
        if (!everything && step.Rejected.Count > MostRejected)
        {
            Line(Faint($"not {step.Rejected.Count - MostRejected} more (--all shows them)"));
        }
        output.WriteLine();
    }

    private IEnumerable<T> Limited<T>(IReadOnlyList<T> all) => everything || all.Count <= MostRejected ? all : all.Take(MostRejected);

    private void Line(string text) => output.WriteLine($"{new string(' ', Indent)}{text}");

    private string Strong(string text) => colour ? $"\e[1m{text}\e[0m" : text;

    private string Faint(string text) => colour ? $"\e[2m{text}\e[0m" : text;
}
