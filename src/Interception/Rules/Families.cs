namespace MeshProxy.Interception.Rules;

/// <summary>IP versions a rule is for.</summary>
[Flags]
public enum Families
{
    None = 0,
    IPv4 = 1,
    IPv6 = 2,
    Both = IPv4 | IPv6,
}
