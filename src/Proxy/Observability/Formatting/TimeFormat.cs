using System.Globalization;
using System.Text;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>
/// A compiled time format: strftime's letters, `%s` seconds since 1970, `%1f`…`%9f` and `%f` digits of the fraction, and absl's
/// `%E3S`, `%E*S`. Unknown letters are printed as they stand.
/// </summary>
internal sealed class TimeFormat
{
    public static readonly TimeFormat Default = new("%Y-%m-%dT%H:%M:%E3SZ");

    private const long NanosecondsPerTick = 100;

    private readonly List<Part> _parts = [];

    public TimeFormat(string format)
    {
        var literal = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                literal.Append(format[i]);
                continue;
            }
            if (ReadPart(format, ref i) is not { } part)
            {
                literal.Append(format[i] == '%' && format[i - 1] == '%' ? "%" : "%" + format[i]);
                continue;
            }
            AddLiteral(literal);
            _parts.Add(part);
        }
        AddLiteral(literal);
    }

    public void Write(DateTime utc, TimeZoneInfo zone, ByteWriter output)
    {
        var time = zone == TimeZoneInfo.Utc ? utc : TimeZoneInfo.ConvertTimeFromUtc(utc, zone);
        foreach (var part in _parts)
        {
            switch (part.Kind)
            {
                case 'L':
                    output.Write(part.Literal!);
                    break;
                case 's':
                    output.Write((utc.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond);
                    break;
                case 'f':
                    WriteFraction(utc, part.Digits, output);
                    break;
                case 'S' when part.Digits != 0:
                    Digits(time.Second, 2, output);
                    output.Write((byte)'.');
                    WriteFraction(utc, part.Digits, output);
                    break;
                case 'z':
                    WriteOffset(zone.GetUtcOffset(utc), output);
                    break;
                default:
                    WriteLetter(part.Kind, time, zone, output);
                    break;
            }
        }
    }

    private static void WriteLetter(char letter, DateTime time, TimeZoneInfo zone, ByteWriter output)
    {
        switch (letter)
        {
            case 'Y': Digits(time.Year, 1, output); break;
            case 'y': Digits(time.Year % 100, 2, output); break;
            case 'm': Digits(time.Month, 2, output); break;
            case 'd': Digits(time.Day, 2, output); break;
            case 'e': Digits(time.Day, 2, output, (byte)' '); break;
            case 'H': Digits(time.Hour, 2, output); break;
            case 'I': Digits(((time.Hour + 11) % 12) + 1, 2, output); break;
            case 'M': Digits(time.Minute, 2, output); break;
            case 'S': Digits(time.Second, 2, output); break;
            case 'j': Digits(time.DayOfYear, 3, output); break;
            case 'u': Digits((((int)time.DayOfWeek + 6) % 7) + 1, 1, output); break;
            case 'w': Digits((int)time.DayOfWeek, 1, output); break;
            case 'p': output.Write(time.Hour < 12 ? "AM"u8 : "PM"u8); break;
            case 'Z': output.Write(zone == TimeZoneInfo.Utc ? "UTC" : zone.StandardName); break;
            case 'T': output.Write(time.ToString("HH:mm:ss", CultureInfo.InvariantCulture)); break;
            case 'R': output.Write(time.ToString("HH:mm", CultureInfo.InvariantCulture)); break;
            case 'F': output.Write(time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)); break;
            case 'D': output.Write(time.ToString("MM/dd/yy", CultureInfo.InvariantCulture)); break;
            case 'b' or 'h': output.Write(time.ToString("MMM", CultureInfo.InvariantCulture)); break;
            case 'B': output.Write(time.ToString("MMMM", CultureInfo.InvariantCulture)); break;
            case 'a': output.Write(time.ToString("ddd", CultureInfo.InvariantCulture)); break;
            case 'A': output.Write(time.ToString("dddd", CultureInfo.InvariantCulture)); break;
            case 'c': output.Write(time.ToString("ddd MMM d HH:mm:ss yyyy", CultureInfo.InvariantCulture)); break;
            case 'n': output.Write((byte)'\n'); break;
            case 't': output.Write((byte)'\t'); break;
        }
    }

    private static void WriteFraction(DateTime utc, int digits, ByteWriter output)
    {
        var nanoseconds = utc.Ticks % TimeSpan.TicksPerSecond * NanosecondsPerTick;
        for (var dropped = 9 - digits; dropped > 0; dropped--)
        {
            nanoseconds /= 10;
        }
        Digits(nanoseconds, digits, output);
    }

    private static void WriteOffset(TimeSpan offset, ByteWriter output)
    {
        output.Write(offset < TimeSpan.Zero ? (byte)'-' : (byte)'+');
        Digits(Math.Abs(offset.Hours), 2, output);
        Digits(Math.Abs(offset.Minutes), 2, output);
    }

    private static void Digits(long value, int width, ByteWriter output, byte pad = (byte)'0')
    {
        Span<byte> digits = stackalloc byte[20];
        System.Buffers.Text.Utf8Formatter.TryFormat(value, digits, out var written);
        for (var i = written; i < width; i++)
        {
            output.Write(pad);
        }
        output.Write(digits[..written]);
    }

    // Leaves `i` on the last character taken; null when the letter means nothing here.
    private static Part? ReadPart(string format, ref int i)
    {
        var next = format[++i];
        if (char.IsAsciiDigit(next) && next != '0' && i + 1 < format.Length && format[i + 1] == 'f')
        {
            i++;
            return new Part('f', next - '0', null);
        }
        if (next == 'E' && i + 2 < format.Length && (char.IsAsciiDigit(format[i + 1]) || format[i + 1] == '*')
            && format[i + 2] is 'S' or 'f')
        {
            var digits = format[i + 1] == '*' ? 9 : format[i + 1] - '0';
            i += 2;
            return new Part(format[i], digits, null);
        }
        return next switch
        {
            'f' => new Part('f', 9, null),
            'Y' or 'y' or 'm' or 'd' or 'e' or 'H' or 'I' or 'M' or 'S' or 'j' or 'u' or 'w' or 'p' or 'Z' or 'z' or 'T' or 'R' or 'F'
                or 'D' or 'b' or 'h' or 'B' or 'a' or 'A' or 'c' or 'n' or 't' or 's' => new Part(next, 0, null),
            _ => null,
        };
    }

    private void AddLiteral(StringBuilder literal)
    {
        if (literal.Length > 0)
        {
            _parts.Add(new Part('L', 0, Encoding.UTF8.GetBytes(literal.ToString())));
            literal.Clear();
        }
    }

    private sealed record Part(char Kind, int Digits, byte[]? Literal);
}

/// <summary>Gets a time in UTC; null has no value.</summary>
internal delegate DateTime? TimeGetter(in LogContext context);

/// <summary>An operator whose value is a time: `%START_TIME(…)%` and its kin.</summary>
internal sealed class TimeOperator(TimeGetter get, TimeFormat format, TimeZoneInfo zone) : FormatOperator
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        if (get(context) is not { } time)
        {
            return false;
        }
        format.Write(time, zone, output);
        return true;
    }
}
