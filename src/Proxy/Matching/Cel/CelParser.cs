namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>Reads CEL by recursive descent (cel-spec, langdef.md, "Syntax"); macros become comprehensions.</summary>
internal sealed class CelParser
{
    // As cel-cpp bounds recursion, so that a hostile text cannot exhaust the stack.
    private const int MaxDepth = 250;

    private const string Accumulator = "@result";

    private readonly CelLexer _lexer;
    private CelToken _token;
    private int _depth;

    private CelParser(string text)
    {
        _lexer = new CelLexer(text);
        _token = _lexer.Next();
    }

    /// <exception cref="CelSyntaxException">The text is no expression.</exception>
    public static CelSyntax Parse(string text)
    {
        var parser = new CelParser(text);
        var expression = parser.Conditional();
        return parser._token.Kind == CelTokenKind.End
            ? expression
            : throw new CelSyntaxException($"'{parser._token.Text}' is not expected", parser._token.Position);
    }

    private CelSyntax Conditional()
    {
        if (++_depth > MaxDepth)
        {
            throw new CelSyntaxException($"it is nested deeper than {MaxDepth}", _token.Position);
        }
        var condition = Or();
        if (Take("?"))
        {
            var whenTrue = Or();
            Expect(":");
            condition = new CelSyntax.Call(null, "_?_:_", [condition, whenTrue, Conditional()]);
        }
        _depth--;
        return condition;
    }

    private CelSyntax Or()
    {
        var left = And();
        while (Take("||"))
        {
            left = new CelSyntax.Call(null, "_||_", [left, And()]);
        }
        return left;
    }

    private CelSyntax And()
    {
        var left = Relation();
        while (Take("&&"))
        {
            left = new CelSyntax.Call(null, "_&&_", [left, Relation()]);
        }
        return left;
    }

    private CelSyntax Relation()
    {
        var left = Addition();
        while (_token.Kind == CelTokenKind.Symbol && _token.Text is "==" or "!=" or "<" or "<=" or ">" or ">=" or "in")
        {
            var name = _token.Text == "in" ? "@in" : $"_{_token.Text}_";
            Advance();
            left = new CelSyntax.Call(null, name, [left, Addition()]);
        }
        return left;
    }

    private CelSyntax Addition()
    {
        var left = Multiplication();
        while (_token.Kind == CelTokenKind.Symbol && _token.Text is "+" or "-")
        {
            var name = $"_{_token.Text}_";
            Advance();
            left = new CelSyntax.Call(null, name, [left, Multiplication()]);
        }
        return left;
    }

    private CelSyntax Multiplication()
    {
        var left = Unary();
        while (_token.Kind == CelTokenKind.Symbol && _token.Text is "*" or "/" or "%")
        {
            var name = $"_{_token.Text}_";
            Advance();
            left = new CelSyntax.Call(null, name, [left, Unary()]);
        }
        return left;
    }

    private CelSyntax Unary()
    {
        if (Take("!"))
        {
            return new CelSyntax.Call(null, "!_", [UnaryOperand()]);
        }
        if (!Take("-"))
        {
            return Member();
        }
        return UnaryOperand() switch
        {
            CelSyntax.Constant { Value: { Kind: CelKind.Int } number } => new CelSyntax.Constant(CelValue.Of(unchecked(-number.AsInt))),
            CelSyntax.Constant { Value: { Kind: CelKind.Double } number } => new CelSyntax.Constant(CelValue.Of(-number.AsDouble)),
            var operand => new CelSyntax.Call(null, "-_", [operand]),
        };
    }

    private CelSyntax UnaryOperand()
    {
        if (++_depth > MaxDepth)
        {
            throw new CelSyntaxException($"it is nested deeper than {MaxDepth}", _token.Position);
        }
        var operand = Unary();
        _depth--;
        return operand;
    }

    private CelSyntax Member()
    {
        var operand = Primary();
        while (true)
        {
            if (Take("."))
            {
                var name = Identifier();
                operand = Take("(") ? MethodCall(operand, name, Arguments(")")) : new CelSyntax.Select(operand, name, false);
            }
            else if (Take("["))
            {
                operand = new CelSyntax.Call(null, "_[_]", [operand, Conditional()]);
                Expect("]");
            }
            else
            {
                return operand;
            }
        }
    }

    private CelSyntax Primary()
    {
        if (_token.Kind == CelTokenKind.Literal)
        {
            var value = _token.Value;
            Advance();
            return new CelSyntax.Constant(value);
        }
        if (Take("("))
        {
            var inner = Conditional();
            Expect(")");
            return inner;
        }
        if (Take("["))
        {
            return new CelSyntax.List(Arguments("]"));
        }
        if (Take("{"))
        {
            return new CelSyntax.Map(Entries());
        }
        Take(".");
        var name = Identifier();
        return Take("(") ? GlobalCall(name, Arguments(")")) : new CelSyntax.Identifier(name);
    }

    private List<CelSyntax> Arguments(string close)
    {
        var arguments = new List<CelSyntax>();
        while (!Take(close))
        {
            if (arguments.Count > 0)
            {
                Expect(",");
                if (close == "]" && Take(close))
                {
                    break;
                }
            }
            arguments.Add(Conditional());
        }
        return arguments;
    }

    private List<(CelSyntax Key, CelSyntax Value)> Entries()
    {
        var entries = new List<(CelSyntax, CelSyntax)>();
        while (!Take("}"))
        {
            if (entries.Count > 0)
            {
                Expect(",");
                if (Take("}"))
                {
                    break;
                }
            }
            var key = Conditional();
            Expect(":");
            entries.Add((key, Conditional()));
        }
        return entries;
    }

    private CelSyntax GlobalCall(string name, List<CelSyntax> arguments)
    {
        if (name != "has")
        {
            return new CelSyntax.Call(null, name, arguments);
        }
        return arguments is [CelSyntax.Select { TestOnly: false } select]
            ? select with { TestOnly = true }
            : throw new CelSyntaxException("has() takes one field, as in has(a.b)", _token.Position);
    }

    private CelSyntax MethodCall(CelSyntax target, string name, List<CelSyntax> arguments)
    {
        if (arguments.Count >= 2 && arguments[0] is CelSyntax.Identifier variable)
        {
            var accumulator = new CelSyntax.Identifier(Accumulator);
            switch (name)
            {
                case "all" when arguments.Count == 2:
                    return Loop(CelValue.True, new CelSyntax.Call(null, "@not_strictly_false", [accumulator]),
                        new CelSyntax.Call(null, "_&&_", [accumulator, arguments[1]]), accumulator);
                case "exists" when arguments.Count == 2:
                    return Loop(CelValue.False,
                        new CelSyntax.Call(null, "@not_strictly_false", [new CelSyntax.Call(null, "!_", [accumulator])]),
                        new CelSyntax.Call(null, "_||_", [accumulator, arguments[1]]), accumulator);
                case "exists_one" when arguments.Count == 2:
                    return Loop(CelValue.Of(0), new CelSyntax.Constant(CelValue.True),
                        new CelSyntax.Call(null, "_?_:_", [arguments[1], Plus(accumulator, new CelSyntax.Constant(CelValue.Of(1))), accumulator]),
                        new CelSyntax.Call(null, "_==_", [accumulator, new CelSyntax.Constant(CelValue.Of(1))]));
                case "filter" when arguments.Count == 2:
                    return LoopList(arguments[1], variable);
                case "map" when arguments.Count == 2:
                    return LoopList(null, arguments[1]);
                case "map" when arguments.Count == 3:
                    return LoopList(arguments[1], arguments[2]);
            }

            CelSyntax Loop(CelValue initial, CelSyntax condition, CelSyntax step, CelSyntax result) =>
                new CelSyntax.Comprehension(variable.Name, target, Accumulator, new CelSyntax.Constant(initial), condition, step, result);

            CelSyntax LoopList(CelSyntax? filter, CelSyntax element)
            {
                CelSyntax step = new CelSyntax.Call(null, "@append", [accumulator, element]);
                if (filter is not null)
                {
                    step = new CelSyntax.Call(null, "_?_:_", [filter, step, accumulator]);
                }
                return new CelSyntax.Comprehension(variable.Name, target, Accumulator, new CelSyntax.List([]),
                    new CelSyntax.Constant(CelValue.True), step, accumulator);
            }
        }
        return new CelSyntax.Call(target, name, arguments);
    }

    private static CelSyntax.Call Plus(CelSyntax left, CelSyntax right) => new(null, "_+_", [left, right]);

    private string Identifier()
    {
        if (_token.Kind != CelTokenKind.Identifier)
        {
            throw new CelSyntaxException(
                _token.Kind == CelTokenKind.End ? "it ends where a value is expected" : $"'{_token.Text}' stands where a value is expected",
                _token.Position);
        }
        var name = _token.Text;
        Advance();
        return name;
    }

    private bool Take(string symbol)
    {
        if (_token.Kind != CelTokenKind.Symbol || _token.Text != symbol)
        {
            return false;
        }
        Advance();
        return true;
    }

    private void Expect(string symbol)
    {
        if (!Take(symbol))
        {
            throw new CelSyntaxException($"'{symbol}' is missing", _token.Position);
        }
    }

    private void Advance() => _token = _lexer.Next();
}
