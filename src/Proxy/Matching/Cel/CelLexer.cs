using System.Globalization;
using System.Text;

namespace MeshProxy.Proxy.Matching.Cel;

internal enum CelTokenKind
{
    End,
    Identifier,
    Literal,
    Symbol,
}

/// <param name="Text">Of identifiers and symbols.</param>
/// <param name="Value">Of literals.</param>
internal readonly record struct CelToken(CelTokenKind Kind, string Text, CelValue Value, int Position);

/// <summary>Splits a CEL text into tokens (cel-spec, langdef.md, "Syntax").</summary>
internal sealed class CelLexer(string text)
{
    private static readonly string[] Symbols =
        ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}"];

    private int _at;

    public CelToken Next()
    {
        SkipBlank();
        if (_at == text.Length)
        {
            return new CelToken(CelTokenKind.End, "", default, _at);
        }
        var start = _at;
        if (ReadString() is { } literal)
        {
            return new CelToken(CelTokenKind.Literal, "", literal, start);
        }
        var next = text[_at];
        if (char.IsAsciiDigit(next) || (next == '.' && _at + 1 < text.Length && char.IsAsciiDigit(text[_at + 1])))
        {
            return new CelToken(CelTokenKind.Literal, "", ReadNumber(), start);
        }
        if (char.IsAsciiLetter(next) || next == '_')
        {
            return ReadWord(start);
        }
        foreach (var symbol in Symbols)
        {
            if (text.AsSpan(_at).StartsWith(symbol))
            {
                _at += symbol.Length;
                return new CelToken(CelTokenKind.Symbol, symbol, default, start);
            }
        }
        throw new CelSyntaxException($"'{next}' is not expected", start);
    }

    private CelToken ReadWord(int start)
    {
        while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] == '_'))
        {
            _at++;
        }
        var word = text[start.._at];
        return word switch
        {
            "true" => new CelToken(CelTokenKind.Literal, "", CelValue.True, start),
            "false" => new CelToken(CelTokenKind.Literal, "", CelValue.False, start),
            "null" => new CelToken(CelTokenKind.Literal, "", CelValue.Null, start),
            "in" => new CelToken(CelTokenKind.Symbol, "in", default, start),
            _ => new CelToken(CelTokenKind.Identifier, word, default, start),
        };
    }

    private void SkipBlank()
    {
        while (_at < text.Length)
        {
            if (char.IsWhiteSpace(text[_at]))
            {
                _at++;
            }
            else if (text.AsSpan(_at).StartsWith("//"))
            {
                while (_at < text.Length && text[_at] != '\n')
                {
                    _at++;
                }
            }
            else
            {
                return;
            }
        }
    }

    private CelValue ReadNumber()
    {
        var start = _at;
        if (text.AsSpan(_at).StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            _at += 2;
            while (_at < text.Length && char.IsAsciiHexDigit(text[_at]))
            {
                _at++;
            }
            return Integer(text.AsSpan(start + 2, _at - start - 2), NumberStyles.HexNumber, start);
        }
        SkipDigits();
        var isDouble = false;
        if (_at + 1 < text.Length && text[_at] == '.' && char.IsAsciiDigit(text[_at + 1]))
        {
            isDouble = true;
            _at++;
            SkipDigits();
        }
        if (_at < text.Length && text[_at] is 'e' or 'E')
        {
            isDouble = true;
            _at++;
            if (_at < text.Length && text[_at] is '+' or '-')
            {
                _at++;
            }
            SkipDigits();
        }
        if (!isDouble)
        {
            return Integer(text.AsSpan(start, _at - start), NumberStyles.None, start);
        }
        return double.TryParse(text.AsSpan(start, _at - start), CultureInfo.InvariantCulture, out var number)
            ? CelValue.Of(number)
            : throw new CelSyntaxException("a number is malformed", start);
    }

    private CelValue Integer(ReadOnlySpan<char> digits, NumberStyles style, int start)
    {
        if (_at < text.Length && text[_at] is 'u' or 'U')
        {
            _at++;
            return ulong.TryParse(digits, style, CultureInfo.InvariantCulture, out var unsigned)
                ? CelValue.Of(unsigned)
                : throw new CelSyntaxException("a number is too large", start);
        }
        // -9223372036854775808 is a minus sign and a number one too large: read as unsigned, so that negation can give it back.
        return ulong.TryParse(digits, style, CultureInfo.InvariantCulture, out var value) && value <= 1UL << 63
            ? CelValue.Of((long)value)
            : throw new CelSyntaxException("a number is too large", start);
    }

    private void SkipDigits()
    {
        while (_at < text.Length && char.IsAsciiDigit(text[_at]))
        {
            _at++;
        }
    }

    // r"…", b'…', """…""" and their combinations; null when no string begins here.
    private CelValue? ReadString()
    {
        var at = _at;
        var raw = false;
        var bytes = false;
        while (at < text.Length && text[at] is 'r' or 'R' or 'b' or 'B')
        {
            raw |= text[at] is 'r' or 'R';
            bytes |= text[at] is 'b' or 'B';
            at++;
            if (at - _at > 2)
            {
                return null;
            }
        }
        if (at == text.Length || text[at] is not ('"' or '\''))
        {
            return null;
        }
        var quote = text.AsSpan(at).StartsWith(new string(text[at], 3)) ? new string(text[at], 3) : text[at].ToString();
        var start = _at;
        _at = at + quote.Length;
        var content = new StringBuilder();
        while (!text.AsSpan(Math.Min(_at, text.Length)).StartsWith(quote))
        {
            if (_at >= text.Length || (quote.Length == 1 && text[_at] == '\n'))
            {
                throw new CelSyntaxException("a string is not closed", start);
            }
            if (text[_at] == '\\' && !raw)
            {
                ReadEscape(content);
            }
            else
            {
                content.Append(text[_at++]);
            }
        }
        _at += quote.Length;
        return bytes ? CelValue.Of(Encoding.UTF8.GetBytes(content.ToString())) : CelValue.Of(content.ToString());
    }

    private void ReadEscape(StringBuilder content)
    {
        var start = _at++;
        var letter = _at < text.Length ? text[_at++] : '\0';
        var plain = letter switch
        {
            'a' => '\a',
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\v',
            '\\' or '\'' or '"' or '`' or '?' => letter,
            _ => '\0',
        };
        if (plain != '\0')
        {
            content.Append(plain);
            return;
        }
        var (count, style) = letter switch
        {
            'x' or 'X' => (2, NumberStyles.HexNumber),
            'u' => (4, NumberStyles.HexNumber),
            'U' => (8, NumberStyles.HexNumber),
            >= '0' and <= '3' => (3, NumberStyles.None),
            _ => throw new CelSyntaxException("an escape is unknown", start),
        };
        if (style == NumberStyles.None)
        {
            _at--;
        }
        if (_at + count > text.Length)
        {
            throw new CelSyntaxException("an escape is cut short", start);
        }
        var digits = text.AsSpan(_at, count);
        _at += count;
        var code = 0;
        foreach (var digit in digits)
        {
            var value = char.IsAsciiHexDigit(digit) ? Convert.ToInt32(digit.ToString(), 16) : 99;
            if (value >= (style == NumberStyles.None ? 8 : 16))
            {
                throw new CelSyntaxException("an escape is malformed", start);
            }
            code = (code * (style == NumberStyles.None ? 8 : 16)) + value;
        }
        if (!Rune.IsValid(code))
        {
            throw new CelSyntaxException("an escape names no character", start);
        }
        content.Append(new Rune(code));
    }
}
