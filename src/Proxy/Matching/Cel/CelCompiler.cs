using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>Turns a written expression into steps: names are resolved, attributes bound, constant patterns compiled.</summary>
internal sealed class CelCompiler(CelEnvironment environment)
{
    private readonly List<(string Name, int Slot)> _variables = [];

    /// <summary>How many variables comprehensions need.</summary>
    public int VariableCount { get; private set; }

    public CelNode Compile(CelSyntax syntax) =>
        syntax switch
        {
            CelSyntax.Constant constant => new ConstantNode(constant.Value),
            CelSyntax.Identifier identifier => CompileIdentifier(identifier.Name),
            CelSyntax.Select select => CompileSelect(select),
            CelSyntax.Call call => CompileCall(call),
            CelSyntax.List list => new ListNode([.. list.Elements.Select(Compile)]),
            CelSyntax.Map map => new MapNode([.. map.Entries.Select(entry => (Compile(entry.Key), Compile(entry.Value)))]),
            CelSyntax.Comprehension comprehension => CompileComprehension(comprehension),
            _ => throw new ConfigurationException("A CEL expression has a part of an unknown kind; correct it."),
        };

    private CelNode CompileIdentifier(string name)
    {
        for (var i = _variables.Count - 1; i >= 0; i--)
        {
            if (_variables[i].Name == name)
            {
                return new VariableNode(_variables[i].Slot);
            }
        }
        return environment.Root(name) is { } root ? new AttributeNode(name, root)
            : TypeNames.Contains(name) ? new ConstantNode(CelValue.OfType(name))
            : new ConstantNode(CelValue.Error($"no value with name {name}"));
    }

    private static readonly HashSet<string> TypeNames =
        ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"];

    private bool IsVariable(string name) => _variables.Exists(variable => variable.Name == name);

    private CelNode CompileSelect(CelSyntax.Select select)
    {
        if (select.Operand is CelSyntax.Identifier root && !IsVariable(root.Name) && environment.Attribute(root.Name, select.Field) is { } get)
        {
            return select.TestOnly ? new HasNode(get) : new AttributeNode($"{root.Name}.{select.Field}", get);
        }
        return new SelectNode(Compile(select.Operand), select.Field, select.TestOnly);
    }

    private CelNode CompileCall(CelSyntax.Call call)
    {
        var arguments = call.Target is null ? call.Arguments : [call.Target, .. call.Arguments];
        switch (call.Function)
        {
            case "_&&_" when arguments.Count == 2:
                return new LogicNode(Compile(arguments[0]), Compile(arguments[1]), absorbing: false);
            case "_||_" when arguments.Count == 2:
                return new LogicNode(Compile(arguments[0]), Compile(arguments[1]), absorbing: true);
            case "_?_:_" when arguments.Count == 3:
                return new ConditionalNode(Compile(arguments[0]), Compile(arguments[1]), Compile(arguments[2]));
            case "@not_strictly_false" or "__not_strictly_false__" when arguments.Count == 1:
                return new NotStrictlyFalseNode(Compile(arguments[0]));
            case "_[_]" when CompileHeader(arguments) is { } header:
                return header;
            case "matches" when arguments.Count == 2:
                return CompileMatches(arguments[0], arguments[1]);
        }
        if (CompileStrings(call.Function, arguments) is { } strings)
        {
            return strings;
        }
        if (arguments.Count == 1 && CelFunctions.Unary(call.Function) is { } unary)
        {
            return new UnaryNode(Compile(arguments[0]), unary);
        }
        if (arguments.Count == 2 && CelFunctions.Binary(call.Function) is { } binary)
        {
            return new BinaryNode(Compile(arguments[0]), Compile(arguments[1]), binary);
        }
        throw new ConfigurationException(
            $"A CEL expression calls {call.Function} with {arguments.Count} arguments, which no function takes; use those of CEL's standard library.");
    }

    private CelNode? CompileStrings(string function, IReadOnlyList<CelSyntax> arguments) => (function, arguments.Count) switch
    {
        ("_+_", 2) when environment.JoinsStrings => new BinaryNode(Compile(arguments[0]), Compile(arguments[1]), Sum),
        ("split", 2) when environment.HasStringFunctions =>
            new BinaryNode(Compile(arguments[0]), Compile(arguments[1]), CelStringFunctions.Split),
        ("replace", 3) when environment.HasStringFunctions =>
            new TernaryNode(Compile(arguments[0]), Compile(arguments[1]), Compile(arguments[2]), CelStringFunctions.Replace),
        _ => null,
    };

    private static readonly CelBinary Numbers = CelFunctions.Binary("_+_")!;

    private static CelValue Sum(in CelValue left, in CelValue right) =>
        left.Kind == CelKind.String ? CelStringFunctions.Join(left, right) : Numbers(left, right);

    private HeaderNode? CompileHeader(IReadOnlyList<CelSyntax> arguments)
    {
        if (arguments is not
            [
                CelSyntax.Select { Operand: CelSyntax.Identifier root, TestOnly: false } select,
                CelSyntax.Constant { Value: { Kind: CelKind.String } name },
            ]
            || IsVariable(root.Name))
        {
            return null;
        }
        return (root.Name, select.Field) switch
        {
            ("request", "headers") => new HeaderNode(CelHeaders.Source.Request, name.AsString),
            ("response", "headers") => new HeaderNode(CelHeaders.Source.Response, name.AsString),
            ("response", "trailers") => new HeaderNode(CelHeaders.Source.Trailers, name.AsString),
            _ => null,
        };
    }

    private CelNode CompileMatches(CelSyntax text, CelSyntax pattern)
    {
        var operand = Compile(text);
        if (pattern is CelSyntax.Constant { Value: { Kind: CelKind.String } fixedPattern })
        {
            var regex = Re2Regex.Compile(fixedPattern.AsString, "matches() of a CEL expression");
            return new UnaryNode(operand, (in CelValue value) =>
                value.Kind == CelKind.String ? CelValue.Of(regex.PartialMatch(value.AsString)) : CelValue.Error("no matching overload"));
        }
        return new BinaryNode(operand, Compile(pattern), static (in CelValue value, in CelValue made) =>
            value.Kind != CelKind.String || made.Kind != CelKind.String ? CelValue.Error("no matching overload")
            : MakeRegex(made.AsString) is { } regex ? CelValue.Of(regex.PartialMatch(value.AsString))
            : CelValue.Error("invalid regular expression"));
    }

    private static Re2Regex? MakeRegex(string pattern)
    {
        try
        {
            return Re2Regex.Compile(pattern, "matches()");
        }
        catch (ConfigurationException)
        {
            return null;
        }
    }

    private ComprehensionNode CompileComprehension(CelSyntax.Comprehension loop)
    {
        var range = Compile(loop.Range);
        var initial = Compile(loop.Initial);
        var accumulator = VariableCount++;
        var variable = VariableCount++;
        _variables.Add((loop.Accumulator, accumulator));
        _variables.Add((loop.Variable, variable));
        var condition = Compile(loop.Condition);
        var step = Compile(loop.Step);
        _variables.RemoveAt(_variables.Count - 1);
        var result = Compile(loop.Result);
        _variables.RemoveAt(_variables.Count - 1);
        return new ComprehensionNode(variable, range, accumulator, initial, condition, step, result);
    }
}
