namespace MeshProxy.Proxy.Explanation;

/// <summary>What becomes of a connection or request, and why.</summary>
/// <param name="Outcome">One sentence.</param>
/// <param name="Steps">The decisions in the order in which they are taken.</param>
/// <param name="Warnings">What limits the explanation, or what the proxy refused of its configuration.</param>
public sealed record TrafficExplanation(string Outcome, IReadOnlyList<ExplanationStep> Steps, IReadOnlyList<string> Warnings);

/// <summary>One decision.</summary>
/// <param name="Stage">`listener`, `filter chain`, `tls`, `network filter`, `virtual host`, `route`, `http filter`, `cluster`, `endpoints`.</param>
/// <param name="Chosen">What was picked; empty when nothing fitted.</param>
/// <param name="Why">One sentence.</param>
/// <param name="Details">What the choice brings with it.</param>
/// <param name="Rejected">What was looked at and not picked.</param>
public sealed record ExplanationStep(
    string Stage, string Chosen, string Why, IReadOnlyList<string> Details, IReadOnlyList<RejectedChoice> Rejected);

/// <summary>A choice that was not taken, with the reason.</summary>
public sealed record RejectedChoice(string Name, string Why);
