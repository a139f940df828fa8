using System.Collections.Immutable;
using MeshProxy.Interception.Settings;

namespace MeshProxy.Interception.Rules;

/// <summary>Collects rules; those of a family that is not enabled are left out.</summary>
public sealed class RuleSetBuilder(Families enabled)
{
    private readonly ImmutableArray<Rule>.Builder _rules = ImmutableArray.CreateBuilder<Rule>();

    public Families Enabled => enabled;

    public void Append(Table table, string chain, Target target, params ReadOnlySpan<Match> matches) =>
        Add(table, chain, null, target, matches);

    public void Insert(int position, Table table, string chain, Target target, params ReadOnlySpan<Match> matches) =>
        Add(table, chain, position, target, matches);

    /// <summary>For rules that are needed in some families only although they name no address.</summary>
    public void AppendFor(
        Families families, Table table, string chain, Target target, params ReadOnlySpan<Match> matches)
    {
        if ((families & enabled) != 0)
            _rules.Add(new Rule(table, chain, families & enabled, [.. matches], target));
    }

    public RuleSet Build() => new(enabled, _rules.ToImmutable());

    private void Add(Table table, string chain, int? position, Target target, ReadOnlySpan<Match> matches)
    {
        var families = FamiliesOf(matches) & enabled;
        if (families != 0)
            _rules.Add(new Rule(table, chain, families, [.. matches], target, position));
    }

    // An address ties a rule to its family.
    private static Families FamiliesOf(ReadOnlySpan<Match> matches)
    {
        var families = Families.Both;
        foreach (var match in matches)
        {
            if (RangeOf(match) is { } range)
                families &= range.IsIPv6 ? Families.IPv6 : Families.IPv4;
        }
        return families;
    }

    private static AddressRange? RangeOf(Match match) => match switch
    {
        Match.Source source => source.Range,
        Match.Destination destination => destination.Range,
        _ => null,
    };
}
