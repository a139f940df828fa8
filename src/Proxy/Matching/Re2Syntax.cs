using System.Globalization;
using System.Text;

namespace MeshProxy.Proxy.Matching;

/// <summary>
/// Rewrites a pattern of RE2's syntax (github.com/google/re2/wiki/Syntax) into .NET's, where the two differ: ASCII character
/// classes, POSIX classes, \Q…\E, \x{…}, named groups, `$` that never matches before a final newline.
/// </summary>
internal ref struct Re2Syntax(string pattern)
{
    /// <summary>RE2's limit of counted repetition, nested ones multiplied (kMaxRepeat).</summary>
    private const int MaxRepeat = 1000;

    private readonly string _pattern = pattern;
    private readonly Stack<int> _groups = new();
    private readonly StringBuilder _output = new();
    private int _at;

    // How often the last atom, and the most repeated one of the group, may be repeated.
    private int _atom = 1;
    private int _most = 1;

    public static string Translate(string pattern) => new Re2Syntax(pattern).Run();

    private string Run()
    {
        while (_at < _pattern.Length)
        {
            switch (_pattern[_at])
            {
                case '\\':
                    Escape(inClass: false);
                    _atom = 1;
                    break;
                case '[':
                    Class();
                    _atom = 1;
                    break;
                case '$':
                    _output.Append(@"\z");
                    _at++;
                    break;
                case '(':
                    OpenGroup();
                    break;
                case ')':
                    CloseGroup();
                    break;
                case '{':
                    Repetition();
                    break;
                case '*' or '+' or '?':
                    _output.Append(_pattern[_at++]);
                    break;
                default:
                    _output.Append(_pattern[_at++]);
                    _atom = 1;
                    break;
            }
        }
        return _output.ToString();
    }

    private void OpenGroup()
    {
        _groups.Push(_most);
        _most = 1;
        var isNamed = Ahead("(?P<");
        _output.Append(isNamed ? "(?<" : "(");
        _at += isNamed ? 4 : 1;
    }

    private void CloseGroup()
    {
        _atom = _most;
        _most = _groups.TryPop(out var outer) ? Math.Max(outer, _atom) : _most;
        _output.Append(')');
        _at++;
    }

    // {n}, {n,} and {n,m}; anything else is a brace that stands for itself.
    private void Repetition()
    {
        var end = _pattern.IndexOf('}', _at);
        var parts = end < 0 ? [] : _pattern[(_at + 1)..end].Split(',');
        if (parts.Length is 0 or > 2 || parts[0].Length == 0 || !parts.All(static part => part.All(char.IsAsciiDigit)))
        {
            _output.Append(_pattern[_at++]);
            return;
        }
        var least = Times(parts[0]);
        var times = parts.Length == 2 && parts[1].Length > 0 ? Times(parts[1]) : least;
        if (times < least || (long)times * _atom > MaxRepeat)
        {
            throw new FormatException($"invalid repetition size: {_pattern[_at..(end + 1)]}");
        }
        _atom *= Math.Max(times, 1);
        _most = Math.Max(_most, _atom);
        _output.Append(_pattern, _at, end + 1 - _at);
        _at = end + 1;
    }

    private readonly int Times(string digits) =>
        digits.Length <= 4 && int.Parse(digits, CultureInfo.InvariantCulture) is var times && times <= MaxRepeat
            ? times
            : throw new FormatException($"invalid repetition size: {{{digits}}}");

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
