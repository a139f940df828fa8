namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>An expression as written: what the parser makes of a text and what comes as cel.expr.Expr.</summary>
internal abstract record CelSyntax
{
    public sealed record Constant(CelValue Value) : CelSyntax;

    public sealed record Identifier(string Name) : CelSyntax;

    /// <param name="TestOnly">`has(…)`.</param>
    public sealed record Select(CelSyntax Operand, string Field, bool TestOnly) : CelSyntax;

    /// <param name="Function">Operators by the names cel-spec gives them: `_==_`, `_&amp;&amp;_`, `_[_]`, `@in` …</param>
    public sealed record Call(CelSyntax? Target, string Function, IReadOnlyList<CelSyntax> Arguments) : CelSyntax;

    public sealed record List(IReadOnlyList<CelSyntax> Elements) : CelSyntax;

    public sealed record Map(IReadOnlyList<(CelSyntax Key, CelSyntax Value)> Entries) : CelSyntax;

    /// <summary>The loop all macros (`all`, `exists`, `map`, `filter` …) are.</summary>
    public sealed record Comprehension(
        string Variable, CelSyntax Range, string Accumulator, CelSyntax Initial, CelSyntax Condition, CelSyntax Step, CelSyntax Result)
        : CelSyntax;
}
