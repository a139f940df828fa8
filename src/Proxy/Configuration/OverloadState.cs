using System.Collections.Concurrent;

namespace MeshProxy.Proxy.Configuration;

/// <summary>How far each overload action is on; written by the overload manager, read on the hot path.</summary>
public sealed class OverloadState
{
    private readonly ConcurrentDictionary<string, OverloadAction> _actions = new(StringComparer.Ordinal);

    /// <summary>The action of that name (`envoy.overload_actions.…`); off while nobody sets it.</summary>
    public OverloadAction Action(string name) => _actions.GetOrAdd(name, static _ => new OverloadAction());
}

/// <summary>One action: 0 is off, 1 fully on; between, the share of events it takes.</summary>
public sealed class OverloadAction
{
    private float _value;

    public float Value
    {
        get => Volatile.Read(ref _value);
        set => Volatile.Write(ref _value, value);
    }

    /// <summary>Whether the action takes this event.</summary>
    public bool Takes() => Value switch
    {
        <= 0 => false,
        >= 1 => true,
        var share => Random.Shared.NextSingle() < share,
    };
}
