namespace MeshProxy.Interception.Rules;

/// <summary>The kernel's tables, in the order in which they are loaded.</summary>
public enum Table
{
    Filter,
    Mangle,
    Nat,
    Raw,
}
