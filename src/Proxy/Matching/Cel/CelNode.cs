using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>What an evaluation sees: the exchange, and the variables of comprehensions.</summary>
internal readonly ref struct CelActivation(ref readonly LogContext context, CelValue[] variables)
{
    public readonly ref readonly LogContext Context = ref context;

    public CelValue[] Variables { get; } = variables;
}

/// <summary>One compiled step of an expression.</summary>
internal abstract class CelNode
{
    public abstract CelValue Evaluate(in CelActivation activation);
}

internal sealed class ConstantNode(CelValue value) : CelNode
{
    public CelValue Value => value;

    public override CelValue Evaluate(in CelActivation activation) => value;
}

internal sealed class VariableNode(int slot) : CelNode
{
    public override CelValue Evaluate(in CelActivation activation) => activation.Variables[slot];
}

/// <summary>Gets an attribute of the exchange; null when it has none.</summary>
public delegate CelValue? CelAttribute(in LogContext context);

internal sealed class AttributeNode(string name, CelAttribute get) : CelNode
{
    private readonly CelValue _missing = CelValue.Error($"no such key: {name}");

    public CelAttribute Get => get;

    public override CelValue Evaluate(in CelActivation activation) => get(activation.Context) ?? _missing;
}

/// <summary>`request.headers['x']` and its kin, read without making a map.</summary>
internal sealed class HeaderNode(CelHeaders.Source source, string name) : CelNode
{
    private readonly byte[] _name = System.Text.Encoding.ASCII.GetBytes(name);
    private readonly CelValue _missing = CelValue.Error($"no such key: {name}");

    public override CelValue Evaluate(in CelActivation activation) =>
        CelHeaders.Of(source, activation.Context)?.GetJoined(_name) is { } value ? CelValue.Of(value) : _missing;
}

internal sealed class SelectNode(CelNode operand, string field, bool testOnly) : CelNode
{
    private readonly CelValue _key = CelValue.Of(field);

    public override CelValue Evaluate(in CelActivation activation)
    {
        var from = operand.Evaluate(activation);
        if (from.IsError)
        {
            return from;
        }
        if (from.Kind != CelKind.Map)
        {
            return CelValue.Error($"no such field: {field}");
        }
        var found = from.AsMap.TryGet(_key, out var value);
        return testOnly ? CelValue.Of(found) : found ? value : CelValue.Error($"no such key: {field}");
    }
}

/// <summary>`has()` on an attribute.</summary>
internal sealed class HasNode(CelAttribute get) : CelNode
{
    public override CelValue Evaluate(in CelActivation activation) => CelValue.Of(get(activation.Context) is { IsError: false });
}

/// <summary>`&amp;&amp;` and `||`: one side's clear answer outweighs the other's error.</summary>
internal sealed class LogicNode(CelNode left, CelNode right, bool absorbing) : CelNode
{
    public override CelValue Evaluate(in CelActivation activation)
    {
        var first = left.Evaluate(activation);
        if (first.Kind == CelKind.Bool && first.AsBool == absorbing)
        {
            return first;
        }
        var second = right.Evaluate(activation);
        if (second.Kind == CelKind.Bool && second.AsBool == absorbing)
        {
            return second;
        }
        return first.Kind == CelKind.Bool && second.Kind == CelKind.Bool ? second
            : first.IsError ? first
            : second.IsError ? second
            : CelValue.Error("no matching overload");
    }
}

internal sealed class ConditionalNode(CelNode condition, CelNode whenTrue, CelNode whenFalse) : CelNode
{
    public override CelValue Evaluate(in CelActivation activation)
    {
        var decided = condition.Evaluate(activation);
        return decided.Kind == CelKind.Bool ? (decided.AsBool ? whenTrue : whenFalse).Evaluate(activation)
            : decided.IsError ? decided
            : CelValue.Error("no matching overload");
    }
}

internal sealed class NotStrictlyFalseNode(CelNode operand) : CelNode
{
    public override CelValue Evaluate(in CelActivation activation)
    {
        var value = operand.Evaluate(activation);
        return CelValue.Of(value.Kind != CelKind.Bool || value.AsBool);
    }
}

internal delegate CelValue CelUnary(in CelValue operand);

internal delegate CelValue CelBinary(in CelValue left, in CelValue right);

internal sealed class UnaryNode(CelNode operand, CelUnary function) : CelNode
{
    public override CelValue Evaluate(in CelActivation activation)
    {
        var value = operand.Evaluate(activation);
        return value.IsError ? value : function(value);
    }
}

internal sealed class BinaryNode(CelNode left, CelNode right, CelBinary function) : CelNode
{
    public override CelValue Evaluate(in CelActivation activation)
    {
        var first = left.Evaluate(activation);
        if (first.IsError)
        {
            return first;
        }
        var second = right.Evaluate(activation);
        return second.IsError ? second : function(first, second);
    }
}

internal delegate CelValue CelTernary(in CelValue first, in CelValue second, in CelValue third);

internal sealed class TernaryNode(CelNode first, CelNode second, CelNode third, CelTernary function) : CelNode
{
    public override CelValue Evaluate(in CelActivation activation)
    {
        var a = first.Evaluate(activation);
        var b = second.Evaluate(activation);
        var c = third.Evaluate(activation);
        return a.IsError ? a : b.IsError ? b : c.IsError ? c : function(a, b, c);
    }
}

internal sealed class ListNode(CelNode[] elements) : CelNode
{
    public override CelValue Evaluate(in CelActivation activation)
    {
        var values = new CelValue[elements.Length];
        for (var i = 0; i < elements.Length; i++)
        {
            values[i] = elements[i].Evaluate(activation);
            if (values[i].IsError)
            {
                return values[i];
            }
        }
        return CelValue.Of(values);
    }
}

internal sealed class MapNode((CelNode Key, CelNode Value)[] entries) : CelNode
{
    public override CelValue Evaluate(in CelActivation activation)
    {
        var made = new KeyValuePair<CelValue, CelValue>[entries.Length];
        for (var i = 0; i < entries.Length; i++)
        {
            var key = entries[i].Key.Evaluate(activation);
            var value = entries[i].Value.Evaluate(activation);
            if (key.IsError || value.IsError)
            {
                return key.IsError ? key : value;
            }
            made[i] = new(key, value);
        }
        return CelValue.Of(new CelMap(made));
    }
}

internal sealed class ComprehensionNode(
    int variable, CelNode range, int accumulator, CelNode initial, CelNode condition, CelNode step, CelNode result) : CelNode
{
    public override CelValue Evaluate(in CelActivation activation)
    {
        var source = range.Evaluate(activation);
        if (source.IsError)
        {
            return source;
        }
        if (source.Kind is not (CelKind.List or CelKind.Map))
        {
            return CelValue.Error("no matching overload");
        }
        activation.Variables[accumulator] = initial.Evaluate(activation);
        foreach (var item in source.Kind == CelKind.List ? source.AsList : source.AsMap.Keys)
        {
            activation.Variables[variable] = item;
            var goOn = condition.Evaluate(activation);
            if (goOn.Kind != CelKind.Bool || !goOn.AsBool)
            {
                break;
            }
            activation.Variables[accumulator] = step.Evaluate(activation);
        }
        return result.Evaluate(activation);
    }
}
