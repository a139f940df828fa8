using System.Text;
using System.Text.Json;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>Reads `%COMMAND(ARGUMENT):LENGTH%` in a text.</summary>
internal static class FormatParser
{
    /// <summary>The parts of a format; an empty text has none.</summary>
    /// <param name="extensions">Commands that the format's `formatters` add.</param>
    public static List<FormatOperator> Parse(string format, IReadOnlyDictionary<string, Command>? extensions = null)
    {
        var parts = new List<FormatOperator>();
        var literal = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                literal.Append(format[i]);
                continue;
            }
            if (i + 1 < format.Length && format[i + 1] == '%')
            {
                literal.Append('%');
                i++;
                continue;
            }
            AddLiteral(parts, literal);
            parts.Add(ReadCommand(format, ref i, extensions));
        }
        AddLiteral(parts, literal);
        return parts;
    }

    /// <summary>`%COALESCE({"operators":[{"command":…,"param":…,"max_length":…} | "COMMAND", …]})%`.</summary>
    public static FormatOperator ParseCoalesce(string argument)
    {
        try
        {
            using var document = JsonDocument.Parse(argument);
            var operators = new List<FormatOperator>();
            foreach (var element in document.RootElement.GetProperty("operators").EnumerateArray())
            {
                operators.Add(element.ValueKind == JsonValueKind.String
                    ? Make(element.GetString()!, "", null, null)
                    : Make(
                        element.GetProperty("command").GetString()!,
                        element.TryGetProperty("param", out var parameter) ? parameter.GetString()! : "",
                        element.TryGetProperty("max_length", out var length) ? length.GetInt32() : null,
                        null));
            }
            return operators.Count > 0 ? new CoalesceOperator([.. operators]) : throw NotCoalesce(argument, null);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw NotCoalesce(argument, error);
        }
    }

    private static ConfigurationException NotCoalesce(string argument, Exception? error) =>
        new($"%COALESCE({argument})% is not understood; its argument is a JSON object with a list of operators.", error);

    // Leaves `i` on the closing percent sign.
    private static FormatOperator ReadCommand(string format, ref int i, IReadOnlyDictionary<string, Command>? extensions)
    {
        var start = i + 1;
        var end = start;
        while (end < format.Length && (char.IsAsciiLetterUpper(format[end]) || char.IsAsciiDigit(format[end]) || format[end] == '_'))
        {
            end++;
        }
        var name = format[start..end];
        string? argument = null;
        if (end < format.Length && format[end] == '(')
        {
            var close = ClosingBracket(format, end + 1);
            if (close < 0)
            {
                throw NotClosed(format, i);
            }
            argument = format[(end + 1)..close];
            end = close + 1;
        }
        int? length = null;
        if (end < format.Length && format[end] == ':')
        {
            var digits = end + 1;
            end = digits;
            while (end < format.Length && char.IsAsciiDigit(format[end]))
            {
                end++;
            }
            if (!int.TryParse(format.AsSpan(digits, end - digits), out var value))
            {
                throw NotClosed(format, i);
            }
            length = value;
        }
        if (name.Length == 0 || end >= format.Length || format[end] != '%')
        {
            throw NotClosed(format, i);
        }
        i = end;
        return Make(name, argument, length, extensions);
    }

    // The argument may hold brackets itself (CEL): it ends where a percent sign or a length follows.
    private static int ClosingBracket(string format, int from)
    {
        for (var close = format.IndexOf(')', from); close >= 0; close = format.IndexOf(')', close + 1))
        {
            var next = close + 1;
            if (next < format.Length && format[next] == ':')
            {
                do
                {
                    next++;
                }
                while (next < format.Length && char.IsAsciiDigit(format[next]));
            }
            if (next < format.Length && format[next] == '%')
            {
                return close;
            }
        }
        return -1;
    }

    private static FormatOperator Make(
        string name, string? argument, int? length, IReadOnlyDictionary<string, Command>? extensions)
    {
        var command = extensions?.GetValueOrDefault(name) ?? OperatorTable.Find(name)
            ?? throw new ConfigurationException(
                $"The format has the command %{name}%, which is unknown; correct its name, or name the extension it belongs to in formatters.");
        if (command.Argument == ArgumentRule.Required && string.IsNullOrEmpty(argument))
        {
            throw new ConfigurationException($"%{name}% needs an argument; write %{name}(…)%.");
        }
        if (command.Argument == ArgumentRule.None && !string.IsNullOrEmpty(argument))
        {
            throw new ConfigurationException($"%{name}({argument})% takes no argument; write %{name}%.");
        }
        if (length is not null && !command.Length)
        {
            throw new ConfigurationException($"%{name}% takes no length; drop ':{length}'.");
        }
        var made = command.Create(name, argument ?? "");
        return length is { } bytes ? new TruncatedOperator(made, bytes) : made;
    }

    private static ConfigurationException NotClosed(string format, int at) =>
        new($"The format '{format.TrimEnd('\n')}' has a percent sign at position {at} that begins no %COMMAND(ARGUMENT):LENGTH%; write %% for the sign itself.");

    private static void AddLiteral(List<FormatOperator> parts, StringBuilder literal)
    {
        if (literal.Length > 0)
        {
            parts.Add(new LiteralOperator(Encoding.UTF8.GetBytes(literal.ToString())));
            literal.Clear();
        }
    }
}
