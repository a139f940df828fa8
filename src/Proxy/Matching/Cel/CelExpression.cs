using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>A compiled expression of the Common Expression Language over an exchange; any number of threads may evaluate it.</summary>
public sealed class CelExpression
{
    private readonly CelNode _root;
    private readonly int _variables;

    private CelExpression(CelSyntax syntax, CelEnvironment environment)
    {
        var compiler = new CelCompiler(environment);
        _root = compiler.Compile(syntax);
        _variables = compiler.VariableCount;
    }

    /// <exception cref="ConfigurationException">The text is no expression, or calls a function there is not.</exception>
    public static CelExpression Compile(string text, CelEnvironment? environment = null)
    {
        try
        {
            return new CelExpression(CelParser.Parse(text), environment ?? CelEnvironment.Default);
        }
        catch (CelSyntaxException error)
        {
            throw new ConfigurationException(
                $"The CEL expression '{text}' cannot be read at position {error.Position}: {error.Message}; correct it.", error);
        }
    }

    /// <summary>Compiles an expression that comes parsed.</summary>
    public static CelExpression Compile(global::Cel.Expr.Expr expression, CelEnvironment? environment = null) =>
        new(CelSyntaxReader.Read(expression), environment ?? CelEnvironment.Default);

    /// <summary>Compiles an expression in the older package (RBAC's `condition`); the messages are the same but for the name.</summary>
    public static CelExpression Compile(Google.Api.Expr.V1Alpha1.Expr expression, CelEnvironment? environment = null) =>
        Compile(Xds.Protobuf.Message.Parse<global::Cel.Expr.Expr>(expression.Message.ToBytes()), environment);

    /// <exception cref="ConfigurationException">The expression is missing or not understood.</exception>
    public static CelExpression Compile(global::Xds.Type.V3.CelExpression config, string field, CelEnvironment? environment = null) =>
        config.CelExprChecked?.Expr is { } checkedExpression ? Compile(checkedExpression, environment)
        : config.CelExprParsed?.Expr is { } parsed ? Compile(parsed, environment)
        : config.CheckedExpr?.Expr is { } olderChecked ? Compile(olderChecked, environment)
        : config.ParsedExpr?.Expr is { } older ? Compile(older, environment)
        : config.CelExprString.Length > 0 ? Compile(config.CelExprString, environment)
        : throw new ConfigurationException($"{field}: the expression is missing; set cel_expr_parsed or cel_expr_string.");

    public CelValue Evaluate(in LogContext context) =>
        _root.Evaluate(new CelActivation(in context, _variables == 0 ? [] : new CelValue[_variables]));

    /// <summary>True when the value is the boolean true; an error or a value of another type is no match.</summary>
    public bool Matches(in LogContext context) => Evaluate(context) is { Kind: CelKind.Bool, AsBool: true };
}
