using Cel.Expr;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Matching.Cel;

/// <summary>Reads expressions that come as cel.expr.Expr.</summary>
internal static class CelSyntaxReader
{
    // As for texts: a hostile message cannot exhaust the stack.
    private const int MaxDepth = 250;

    public static CelSyntax Read(Expr? expression, int depth = 0)
    {
        if (expression is not { } given || depth > MaxDepth)
        {
            throw Malformed(expression is null ? "lacks a part" : $"is nested deeper than {MaxDepth}");
        }
        return given.ExprKindCase switch
        {
            Expr.ExprKindOneofCase.ConstExpr => new CelSyntax.Constant(ReadConstant(given.ConstExpr!.Value)),
            Expr.ExprKindOneofCase.IdentExpr => new CelSyntax.Identifier(given.IdentExpr!.Value.Name.TrimStart('.')),
            Expr.ExprKindOneofCase.SelectExpr => new CelSyntax.Select(
                Read(given.SelectExpr!.Value.Operand, depth + 1), given.SelectExpr!.Value.Field, given.SelectExpr!.Value.TestOnly),
            Expr.ExprKindOneofCase.CallExpr => ReadCall(given.CallExpr!.Value, depth),
            Expr.ExprKindOneofCase.ListExpr => new CelSyntax.List(
                [.. given.ListExpr!.Value.Elements.Select(element => Read(element, depth + 1))]),
            Expr.ExprKindOneofCase.StructExpr => ReadStruct(given.StructExpr!.Value, depth),
            Expr.ExprKindOneofCase.ComprehensionExpr => ReadComprehension(given.ComprehensionExpr!.Value, depth),
            _ => throw Malformed("has a part of no kind"),
        };
    }

    private static CelSyntax.Call ReadCall(Expr.Call call, int depth) =>
        new(call.Target is { } target ? Read(target, depth + 1) : null, call.Function,
            [.. call.Args.Select(argument => Read(argument, depth + 1))]);

    private static CelSyntax.Map ReadStruct(Expr.CreateStruct made, int depth)
    {
        if (made.MessageName.Length > 0)
        {
            throw Malformed($"makes a message of type {made.MessageName}, which is not supported");
        }
        return new CelSyntax.Map(
            [.. made.Entries.Select(entry => (Read(entry.MapKey, depth + 1), Read(entry.Value, depth + 1)))]);
    }

    private static CelSyntax.Comprehension ReadComprehension(Expr.Comprehension loop, int depth) =>
        new(loop.IterVar, Read(loop.IterRange, depth + 1), loop.AccuVar, Read(loop.AccuInit, depth + 1),
            Read(loop.LoopCondition, depth + 1), Read(loop.LoopStep, depth + 1), Read(loop.Result, depth + 1));

    private static CelValue ReadConstant(Constant constant) =>
        constant.ConstantKindCase switch
        {
            Constant.ConstantKindOneofCase.NullValue => CelValue.Null,
            Constant.ConstantKindOneofCase.BoolValue => CelValue.Of(constant.BoolValue),
            Constant.ConstantKindOneofCase.Int64Value => CelValue.Of(constant.Int64Value),
            Constant.ConstantKindOneofCase.Uint64Value => CelValue.Of(constant.Uint64Value),
            Constant.ConstantKindOneofCase.DoubleValue => CelValue.Of(constant.DoubleValue),
            Constant.ConstantKindOneofCase.StringValue => CelValue.Of(constant.StringValue),
            Constant.ConstantKindOneofCase.BytesValue => CelValue.Of(constant.BytesValue.ToArray()),
            Constant.ConstantKindOneofCase.DurationValue => CelValue.Of(constant.DurationValue ?? TimeSpan.Zero),
            Constant.ConstantKindOneofCase.TimestampValue => CelValue.Of(constant.TimestampValue?.UtcDateTime ?? DateTime.UnixEpoch),
            _ => throw Malformed("has a constant of no kind"),
        };

    private static ConfigurationException Malformed(string what) => new($"A parsed CEL expression {what}; correct it.");
}
