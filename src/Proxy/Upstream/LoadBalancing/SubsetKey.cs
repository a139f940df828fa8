using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>The values of a selector's keys, in the order of the keys, compared by value.</summary>
internal readonly struct SubsetKey(MetadataValue[] values) : IEquatable<SubsetKey>
{
    private readonly MetadataValue[] _values = values;

    public bool Equals(SubsetKey other)
    {
        if (_values.Length != other._values.Length)
        {
            return false;
        }
        for (var i = 0; i < _values.Length; i++)
        {
            if (!MetadataEquality.Equal(_values[i], other._values[i]))
            {
                return false;
            }
        }
        return true;
    }

    public override bool Equals(object? obj) => obj is SubsetKey other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var value in _values)
        {
            // Lists and structs are equal by content, which their own hash is not: their kind must do.
            hash.Add(value is MetadataValue.ListNode or MetadataValue.StructNode ? value.GetType().GetHashCode() : value.GetHashCode());
        }
        return hash.ToHashCode();
    }
}
