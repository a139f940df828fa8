using System.Globalization;
using System.Text;

namespace MeshProxy.Proxy.Matching;

/// <summary>
/// Rewrites a pattern of RE2's syntax (github.com/google/re2/wiki/Syntax) into .NET's, where the two differ: ASCII character
/// classes, POSIX classes, \Q…\E, \x{…}, named groups, `$` that never matches before a final newline.
/// </summary>
internal ref struct Re2Syntax(string pattern)
{
    private readonly string _pattern = pattern;
    private readonly StringBuilder _output = new();
    private int _at;

    public static string Translate(string pattern) => new Re2Syntax(pattern).Run();

    private string Run()
    {
        while (_at < _pattern.Length)
        {
            switch (_pattern[_at])
            {
                case '\\':
                    Escape(inClass: false);
                    break;
                case '[':
                    Class();
                    break;
                case '$':
                    _output.Append(@"\z");
                    _at++;
                    break;
                case '(' when Ahead("(?P<"):
                    _output.Append("(?<");
                    _at += 4;
                    break;
                default:
                    _output.Append(_pattern[_at++]);
                    break;
            }
        }
        return _output.ToString();
    }

    private readonly bool Ahead(string text) => string.CompareOrdinal(_pattern, _at, text, 0, text.Length) == 0;

    private void Class()
    {
        _output.Append('[');
        _at++;
        if (_at < _pattern.Length && _pattern[_at] == '^')
        {
            _output.Append('^');
            _at++;
        }
        for (var first = true; _at < _pattern.Length; first = false)
        {
            var c = _pattern[_at];
            if (c == ']' && !first)
            {
                _output.Append(']');
                _at++;
                return;
            }
            if (c == '\\')
            {
                Escape(inClass: true);
            }
            else if (Ahead("[:"))
            {
                PosixClass();
            }
            else
            {
                _output.Append(c is '[' or ']' ? "\\" : "").Append(c);
                _at++;
            }
        }
        throw new FormatException("missing ]");
    }

    private void PosixClass()
    {
        var end = _pattern.IndexOf(":]", _at, StringComparison.Ordinal);
        var name = end < 0 ? "" : _pattern[(_at + 2)..end];
        _output.Append(name switch
        {
            "alnum" => "0-9A-Za-z",
            "alpha" => "A-Za-z",
            "ascii" => @"\x00-\x7F",
            "blank" => @"\t ",
            "cntrl" => @"\x00-\x1F\x7F",
            "digit" => "0-9",
            "graph" => "!-~",
            "lower" => "a-z",
            "print" => " -~",
            "punct" => @"!-/:-@\[-`{-~",
            "space" => @"\t\n\v\f\r ",
            "upper" => "A-Z",
            "word" => "0-9A-Za-z_",
            "xdigit" => "0-9A-Fa-f",
            _ => throw new FormatException($"invalid character class range: [:{name}:]"),
        });
        _at = end + 2;
    }

    private void Escape(bool inClass)
    {
        if (_at + 1 >= _pattern.Length)
        {
            throw new FormatException("trailing \\");
        }
        var c = _pattern[_at + 1];
        _at += 2;
        switch (c)
        {
            case 'Q':
                Quoted();
                break;
            case 'x' when _at < _pattern.Length && _pattern[_at] == '{':
                CodePoint();
                break;
            case >= '1' and <= '9':
                throw new FormatException($"invalid escape sequence: \\{c}");
            case 'C':
                _output.Append(inClass ? throw new FormatException(@"invalid escape sequence: \C") : @"[\s\S]");
                break;
            default:
                _output.Append(AsciiClass(c, inClass) ?? $"\\{c}");
                break;
        }
    }

    // .NET's \d, \w and \s know all of Unicode, RE2's only ASCII.
    private static string? AsciiClass(char c, bool inClass) => (c, inClass) switch
    {
        ('d', true) => "0-9",
        ('d', false) => "[0-9]",
        ('w', true) => "0-9A-Za-z_",
        ('w', false) => "[0-9A-Za-z_]",
        ('s', true) => @"\t\n\f\r ",
        ('s', false) => @"[\t\n\f\r ]",
        ('D', true) => @"\x00-/:-\uFFFF",
        ('D', false) => "[^0-9]",
        ('W', true) => @"\x00-/:-@\[-^`{-\uFFFF",
        ('W', false) => "[^0-9A-Za-z_]",
        ('S', true) => @"\x00-\x08\x0B\x0E-\x1F!-\uFFFF",
        ('S', false) => @"[^\t\n\f\r ]",
        _ => null,
    };

    private void Quoted()
    {
        var end = _pattern.IndexOf("\\E", _at, StringComparison.Ordinal);
        var text = end < 0 ? _pattern[_at..] : _pattern[_at..end];
        _output.Append(System.Text.RegularExpressions.Regex.Escape(text));
        _at = end < 0 ? _pattern.Length : end + 2;
    }

    private void CodePoint()
    {
        var end = _pattern.IndexOf('}', _at);
        if (end < 0 || !int.TryParse(_pattern.AsSpan(_at + 1, end - _at - 1), NumberStyles.HexNumber,
                CultureInfo.InvariantCulture, out var code) || code > 0xFFFF)
        {
            throw new FormatException("invalid escape sequence: \\x{");
        }
        _output.Append(CultureInfo.InvariantCulture, $"\\u{code:X4}");
        _at = end + 1;
    }
}
