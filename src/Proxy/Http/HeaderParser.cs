using System.Buffers;
using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using AppendAction = Envoy.Config.Core.V3.HeaderValueOption.HeaderAppendAction;
using HeaderValueOption = Envoy.Config.Core.V3.HeaderValueOption;

namespace MeshProxy.Proxy.Http;

/// <summary>
/// Header operations of one level (table, virtual host, route, …), compiled: removals first, then all values are formatted
/// against the headers as they were, then overwrites, then additions (http-semantics 8.1).
/// </summary>
public sealed class HeaderParser
{
    public static readonly HeaderParser Empty = new([], []);

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_values;

    private readonly Removal[] _removals;
    private readonly Addition[] _additions;

    private HeaderParser(Removal[] removals, Addition[] additions) => (_removals, _additions) = (removals, additions);

    public bool IsEmpty => _removals.Length == 0 && _additions.Length == 0;

    /// <param name="additions">*_headers_to_add.</param>
    /// <param name="removals">*_headers_to_remove.</param>
    /// <param name="field">Path of the owner, for refusals.</param>
    public static HeaderParser Compile(IReadOnlyList<HeaderValueOption> additions, IReadOnlyList<string> removals,
        string field)
    {
        if (additions.Count == 0 && removals.Count == 0)
        {
            return Empty;
        }
        var removed = new Removal[removals.Count];
        for (var i = 0; i < removed.Length; i++)
        {
            removed[i] = new Removal(Mutable(removals[i], $"{field}.headers_to_remove[{i}]", ":-prefixed or host headers may not be removed"));
        }
        var added = new Addition[additions.Count];
        for (var i = 0; i < added.Length; i++)
        {
            added[i] = CompileAddition(additions[i], $"{field}.headers_to_add[{i}]");
        }
        return new HeaderParser(removed, added);
    }

    public void Evaluate(HeaderMap headers, in LogContext context)
    {
        foreach (ref readonly var removal in _removals.AsSpan())
        {
            headers.Remove(removal.Name);
        }
        if (_additions.Length == 0)
        {
            return;
        }
        // Values lie one behind another; nested evaluation (a formatter never mutates headers) does not happen.
        var values = t_values ??= new ArrayBufferWriter<byte>(512);
        values.ResetWrittenCount();
        Span<int> ends = _additions.Length <= 64 ? stackalloc int[64] : new int[_additions.Length];
        for (var i = 0; i < _additions.Length; i++)
        {
            ref readonly var addition = ref _additions[i];
            var start = values.WrittenCount;
            var applies = Applies(addition, headers);
            if (applies)
            {
                FormatInto(values, addition, context);
            }
            ends[i] = applies && (values.WrittenCount > start || addition.KeepEmpty) ? values.WrittenCount : ~values.WrittenCount;
        }
        Apply(headers, values.WrittenSpan, ends, overwrites: true);
        Apply(headers, values.WrittenSpan, ends, overwrites: false);
    }

    // The complement of an end marks an entry that is left out.
    private void Apply(HeaderMap headers, ReadOnlySpan<byte> values, ReadOnlySpan<int> ends, bool overwrites)
    {
        var start = 0;
        for (var i = 0; i < _additions.Length; i++)
        {
            ref readonly var addition = ref _additions[i];
            var end = ends[i] < 0 ? ~ends[i] : ends[i];
            var value = values[start..end];
            start = end;
            if (ends[i] < 0 || addition.Overwrites != overwrites)
            {
                continue;
            }
            if (overwrites)
            {
                headers.Set(addition.Name, value);
            }
            else
            {
                HeaderUtility.Append(headers, addition.Known, addition.Name, value);
            }
        }
    }

    private static bool Applies(in Addition addition, HeaderMap headers) => addition.Action switch
    {
        AppendAction.AddIfAbsent => headers.IndexOf(addition.Name, 0) < 0,
        AppendAction.OverwriteIfExists => headers.IndexOf(addition.Name, 0) >= 0,
        _ => true,
    };

    private static void FormatInto(ArrayBufferWriter<byte> output, in Addition addition, in LogContext context)
    {
        if (addition.Formatter is null)
        {
            output.Write(addition.Constant);
        }
        else
        {
            addition.Formatter.Format(context, output);
        }
    }

    private static Addition CompileAddition(HeaderValueOption option, string field)
    {
        var header = option.Header ?? throw new ConfigurationException($"{field}: header is missing; set header.key.");
        if (option.Append is not null && option.AppendAction != AppendAction.AppendIfExistsOrAdd)
        {
            throw new ConfigurationException($"{field}: Both append and append_action are set and it's not allowed; remove append.");
        }
        var action = option.Append is { } append
            ? append ? AppendAction.AppendIfExistsOrAdd : AppendAction.OverwriteIfExistsOrAdd
            : option.AppendAction;
        var name = Mutable(header.Key, $"{field}.header.key", ":-prefixed or host headers may not be modified");
        var formatter = HeaderFormatter.Compile(header.Value, $"{field}.header.value", out var constant);
        if (header.Value.Length == 0 && header.RawValue.Length > 0)
        {
            constant = header.RawValue.ToArray();
        }
        return new Addition
        {
            Name = name,
            Known = KnownHeaders.Find(name),
            Formatter = formatter,
            Constant = constant,
            Action = action,
            KeepEmpty = option.KeepEmptyValue,
        };
    }

    private static byte[] Mutable(string name, string field, string rule)
    {
        if (name.Length == 0 || name[0] == ':' || name.Equals("host", StringComparison.OrdinalIgnoreCase))
        {
            throw new ConfigurationException($"{field}: {rule}: '{name}'; name another header.");
        }
        return Encoding.ASCII.GetBytes(name.ToLowerInvariant());
    }

    private readonly record struct Removal(byte[] Name);

    private readonly struct Addition
    {
        public required byte[] Name { get; init; }

        public required KnownHeader Known { get; init; }

        public required IFormatter? Formatter { get; init; }

        public required byte[] Constant { get; init; }

        public required AppendAction Action { get; init; }

        public required bool KeepEmpty { get; init; }

        public bool Overwrites => Action is AppendAction.OverwriteIfExistsOrAdd or AppendAction.OverwriteIfExists;
    }
}
