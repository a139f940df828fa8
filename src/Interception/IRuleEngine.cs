using MeshProxy.Interception.Rules;

namespace MeshProxy.Interception;

/// <summary>Brings planned rules into force with one of the host's tools.</summary>
internal interface IRuleEngine
{
    /// <summary>The rules as they would be loaded, with the command that would load them.</summary>
    string Show(RuleSet rules);

    /// <summary>What a removal would do.</summary>
    string ShowRemoval(RuleSet rules);

    /// <exception cref="InterceptionException">Rules of other settings are in force, or the tool refused.</exception>
    void Apply(RuleSet rules);

    void Remove(RuleSet rules);

    /// <summary>Our rules in force as text that is the same as long as they are; empty if there are none.</summary>
    string Snapshot();
}
