using Google.Protobuf.WellKnownTypes;
using MeshProxy.Proxy.Observability.Formatting;
using Any = MeshProxy.Xds.Protobuf.Any;

namespace MeshProxy.Proxy.Observability;

/// <summary>How far an object of the filter state lives (Envoy's FilterState::LifeSpan).</summary>
public enum FilterStateLifeSpan
{
    FilterChain,
    Request,
    Connection,
}

/// <summary>Whether an object is given to the upstream connection (FilterStateValue.SharedWithUpstream).</summary>
public enum FilterStateSharing
{
    None,

    /// <summary>Given to the next connection, which keeps it for itself.</summary>
    Once,

    /// <summary>Given on from connection to connection.</summary>
    Transitive,
}

/// <summary>An object of the filter state that can be printed by `%FILTER_STATE(key:PLAIN)%` and matched.</summary>
public interface IFilterStateObject
{
    string? SerializeAsString();

    /// <summary>`%FILTER_STATE(key:TYPED)%`; null prints <see cref="SerializeAsString"/> as a JSON string.</summary>
    string? SerializeAsJson() => null;

    /// <summary>As JSON, a string with quotes; null where there is no value.</summary>
    string? ToJson() => SerializeAsJson()
        ?? (SerializeAsString() is { } text ? MetadataValue.From(text).ToJson() : null);

    /// <summary>The object as a message, for log services; null where it has none.</summary>
    Any? SerializeAsAny() => null;

    /// <summary>Shared objects of this kind keep upstream connections apart (Envoy's Hashable).</summary>
    bool Hashable => false;

    /// <summary>`%FILTER_STATE(key:FIELD:name)%`.</summary>
    string? GetField(string name) => null;
}

/// <summary>Typed objects by name, of a stream or a connection. Looked up in the parent (connection) when absent here.</summary>
public sealed class FilterState
{
    private Dictionary<string, Entry>? _entries;
    private bool _sharesSome;

    public FilterState? Parent { get; init; }

    public IFilterStateObject? Get(string key) =>
        _entries is not null && _entries.TryGetValue(key, out var entry) ? entry.Value : Parent?.Get(key);

    public T? Get<T>(string key)
        where T : class, IFilterStateObject => Get(key) as T;

    public void Set(string key, IFilterStateObject value, FilterStateLifeSpan lifeSpan = FilterStateLifeSpan.FilterChain,
        FilterStateSharing sharing = FilterStateSharing.None, bool readOnly = false)
    {
        if (lifeSpan == FilterStateLifeSpan.Connection && Parent is not null)
        {
            Parent.Set(key, value, lifeSpan, sharing, readOnly);
            return;
        }
        (_entries ??= new Dictionary<string, Entry>(StringComparer.Ordinal))[key] =
            new Entry(value, lifeSpan, sharing, readOnly);
        _sharesSome |= sharing != FilterStateSharing.None;
    }

    /// <summary>Takes over what lives as long as the request from the stream that this one replaces (internal redirect).</summary>
    public void TakeRequestObjects(FilterState old)
    {
        if (old._entries is null)
        {
            return;
        }
        _sharesSome |= old._sharesSome;
        foreach (var (key, entry) in old._entries)
        {
            if (entry.LifeSpan != FilterStateLifeSpan.FilterChain)
            {
                (_entries ??= new Dictionary<string, Entry>(StringComparer.Ordinal))[key] = entry;
            }
        }
    }

    /// <summary>Whether anything is marked to be shared with the upstream connection; asked for every request.</summary>
    public bool AnyShared => _sharesSome || (Parent?.AnyShared ?? false);

    /// <summary>The objects marked to be shared with the upstream connection, own before parent's.</summary>
    public IEnumerable<SharedFilterStateObject> SharedWithUpstream()
    {
        foreach (var (key, entry) in _entries ?? [])
        {
            if (entry.Sharing != FilterStateSharing.None)
            {
                yield return new SharedFilterStateObject(key, entry.Value, entry.Sharing);
            }
        }
        foreach (var shared in Parent?.SharedWithUpstream() ?? [])
        {
            if (_entries is null || !_entries.ContainsKey(shared.Key))
            {
                yield return shared;
            }
        }
    }

    private readonly record struct Entry(IFilterStateObject Value, FilterStateLifeSpan LifeSpan, FilterStateSharing Sharing, bool ReadOnly);
}

/// <summary>An object on its way to the upstream connection.</summary>
public sealed record SharedFilterStateObject(string Key, IFilterStateObject Value, FilterStateSharing Sharing);

/// <summary>A plain string in the filter state (Envoy's StringAccessor).</summary>
public sealed record StringFilterState(string Value) : IFilterStateObject
{
    public string? SerializeAsString() => Value;

    public Any? SerializeAsAny() => StringAny.Of(Value);
}

/// <summary>A string that keeps upstream connections apart where it is shared with them (Envoy's HashableStringObject).</summary>
public sealed record HashableStringFilterState(string Value) : IFilterStateObject
{
    public bool Hashable => true;

    public string? SerializeAsString() => Value;

    public Any? SerializeAsAny() => StringAny.Of(Value);
}

/// <summary>Text as a packed google.protobuf.StringValue.</summary>
internal static class StringAny
{
    public static Any Of(string text)
    {
        var message = StringValue.New();
        message.Value = text;
        return Any.Pack(message);
    }
}
