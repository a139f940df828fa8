using MeshProxy.Proxy.Matching;
using Config = Envoy.Config.Common.MutationRules.V3.HeaderMutationRules;

namespace MeshProxy.Proxy.Http;

/// <summary>What becomes of a wanted change of a header.</summary>
internal enum MutationVerdict
{
    Allowed,
    Ignored,

    /// <summary>The whole answer of the service is invalid.</summary>
    Refused,
}

internal enum MutationOperation
{
    Set,
    Append,
    Remove,
}

/// <summary>Which headers a service may change (config.common.mutation_rules.v3.HeaderMutationRules).</summary>
internal sealed class HeaderMutationChecker
{
    private static readonly byte[] OwnHeaders = HeaderPrefix.Apply("x-envoy-");

    private readonly Config _rules;
    private readonly Re2Regex? _allow;
    private readonly Re2Regex? _disallow;

    public HeaderMutationChecker(Config rules, string field)
    {
        _rules = rules;
        _allow = rules.AllowExpression is { } allow ? Re2Regex.Compile(allow.Regex, $"{field}.allow_expression") : null;
        _disallow = rules.DisallowExpression is { } disallow ? Re2Regex.Compile(disallow.Regex, $"{field}.disallow_expression") : null;
    }

    /// <param name="name">In lower case.</param>
    public MutationVerdict Check(MutationOperation operation, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        IsAllowed(operation, name) && IsValid(operation, name, value) ? MutationVerdict.Allowed
            : _rules.DisallowIsError == true ? MutationVerdict.Refused : MutationVerdict.Ignored;

    private bool IsAllowed(MutationOperation operation, ReadOnlySpan<byte> name)
    {
        // Without them, or with two of them, the message is broken.
        var system = IsSystem(name);
        if (operation != MutationOperation.Set && (system || name.SequenceEqual("host"u8)))
        {
            return false;
        }
        if (_disallow?.FullMatch(name) == true)
        {
            return false;
        }
        if (_allow?.FullMatch(name) == true)
        {
            return true;
        }
        return _rules.DisallowAll != true
            && !(_rules.DisallowSystem == true && system)
            && (_rules.AllowAllRouting == true || !IsRouting(name))
            && (_rules.AllowEnvoy == true || !name.StartsWith(OwnHeaders));
    }

    // What the connection manager and the router rely on stays well-formed whatever the rules allow.
    private static bool IsValid(MutationOperation operation, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        operation == MutationOperation.Remove || KnownHeaders.Find(name) switch
        {
            KnownHeader.Authority or KnownHeader.Host or KnownHeader.Method => !value.IsEmpty && !value.ContainsAny(" \t\r\n"u8),
            KnownHeader.Path => !value.IsEmpty,
            KnownHeader.Scheme => value.SequenceEqual("http"u8) || value.SequenceEqual("https"u8),
            KnownHeader.Status => System.Buffers.Text.Utf8Parser.TryParse(value, out int code, out var used)
                && used == value.Length && code >= 200,
            _ => true,
        };

    private static bool IsSystem(ReadOnlySpan<byte> name) => name.Length > 0 && name[0] == ':';

    private static bool IsRouting(ReadOnlySpan<byte> name) => name.SequenceEqual("host"u8) || name.SequenceEqual(":authority"u8)
        || name.SequenceEqual(":scheme"u8) || name.SequenceEqual(":method"u8);
}
