using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>What a host says of its load in `endpoint-load-metrics` (text or JSON) or `endpoint-load-metrics-bin` (ORCA).</summary>
internal sealed class LoadReport
{
    private static readonly byte[] TextHeader = "endpoint-load-metrics"u8.ToArray();
    private static readonly byte[] BinaryHeader = "endpoint-load-metrics-bin"u8.ToArray();

    private readonly Dictionary<string, double> _values = new(StringComparer.Ordinal);

    /// <summary>Null when there is none, or it cannot be read.</summary>
    public static LoadReport? Read(HeaderMap headers)
    {
        if (headers.TryGet(BinaryHeader, out var binary))
        {
            return FromBinary(binary);
        }
        if (!headers.TryGet(TextHeader, out var value))
        {
            return null;
        }
        var text = Encoding.Latin1.GetString(value).Trim();
        return text.StartsWith("TEXT ", StringComparison.Ordinal) ? FromText(text[5..])
            : text.StartsWith("JSON ", StringComparison.Ordinal) ? FromJson(text[5..])
            : text.StartsWith("BIN ", StringComparison.Ordinal) ? FromBinary(Encoding.Latin1.GetBytes(text[4..].Trim()))
            : null;
    }

    /// <summary>Requests a second for each unit of utilization; null when the report does not tell.</summary>
    public double? Weight(LoadReportOptions options)
    {
        var rate = Value("rps_fractional");
        var utilization = Utilization(options.MetricNames);
        if (rate <= 0 || utilization <= 0)
        {
            return null;
        }
        var errors = Value("eps");
        var penalty = errors > 0 ? errors / rate * options.ErrorPenalty : 0;
        return rate / (utilization + penalty);
    }

    private double Value(string name) => _values.GetValueOrDefault(name);

    private double Utilization(IReadOnlyList<string> names)
    {
        if (Value("application_utilization") is > 0 and var application)
        {
            return application;
        }
        var most = 0.0;
        foreach (var name in names)
        {
            most = Math.Max(most, Value(name));
        }
        return most > 0 ? most : Value("cpu_utilization");
    }

    private static LoadReport FromText(string text)
    {
        var report = new LoadReport();
        foreach (var pair in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            if (equals > 0 && double.TryParse(pair.AsSpan(equals + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
            {
                report.Add(pair[..equals].Trim(), value);
            }
        }
        return report;
    }

    private static LoadReport? FromJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var report = new LoadReport();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Value.ValueKind == JsonValueKind.Number)
                {
                    report.Add(property.Name, property.Value.GetDouble());
                }
                else if (property.Value.ValueKind == JsonValueKind.Object)
                {
                    foreach (var named in property.Value.EnumerateObject())
                    {
                        if (named.Value.ValueKind == JsonValueKind.Number)
                        {
                            report.Add($"{property.Name}.{named.Name}", named.Value.GetDouble());
                        }
                    }
                }
            }
            return report;
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static LoadReport? FromBinary(ReadOnlySpan<byte> base64)
    {
        try
        {
            var report = new LoadReport();
            return report.ReadMessage(Convert.FromBase64String(Pad(Encoding.Latin1.GetString(base64)))) ? report : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    // xds.data.orca.v3.OrcaLoadReport: doubles, and three maps of doubles by name.
    private bool ReadMessage(ReadOnlySpan<byte> message)
    {
        while (!message.IsEmpty)
        {
            if (!TakeVarint(ref message, out var tag))
            {
                return false;
            }
            switch (tag)
            {
                case (1 << 3) | 1 when TakeDouble(ref message, out var value):
                    Add("cpu_utilization", value);
                    break;
                case (2 << 3) | 1 when TakeDouble(ref message, out var value):
                    Add("mem_utilization", value);
                    break;
                case (6 << 3) | 1 when TakeDouble(ref message, out var value):
                    Add("rps_fractional", value);
                    break;
                case (7 << 3) | 1 when TakeDouble(ref message, out var value):
                    Add("eps", value);
                    break;
                case (9 << 3) | 1 when TakeDouble(ref message, out var value):
                    Add("application_utilization", value);
                    break;
                case (4 << 3) | 2 or (5 << 3) | 2 or (8 << 3) | 2 when TakeBytes(ref message, out var entry):
                    ReadEntry((tag >> 3) switch { 4 => "request_cost.", 5 => "utilization.", _ => "named_metrics." }, entry);
                    break;
                default:
                    if (!Skip(ref message, tag & 7))
                    {
                        return false;
                    }
                    break;
            }
        }
        return true;
    }

    private void ReadEntry(string prefix, ReadOnlySpan<byte> entry)
    {
        var name = "";
        double value = 0;
        while (!entry.IsEmpty && TakeVarint(ref entry, out var tag))
        {
            if (tag == ((1 << 3) | 2) && TakeBytes(ref entry, out var text))
            {
                name = Encoding.UTF8.GetString(text);
            }
            else if (tag != ((2 << 3) | 1) || !TakeDouble(ref entry, out value))
            {
                return;
            }
        }
        Add(prefix + name, value);
    }

    private static bool TakeVarint(ref ReadOnlySpan<byte> data, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && !data.IsEmpty; shift += 7)
        {
            var next = data[0];
            data = data[1..];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }
        return false;
    }

    private static bool TakeDouble(ref ReadOnlySpan<byte> data, out double value)
    {
        value = 0;
        if (data.Length < sizeof(double))
        {
            return false;
        }
        value = BinaryPrimitives.ReadDoubleLittleEndian(data);
        data = data[sizeof(double)..];
        return true;
    }

    private static bool TakeBytes(ref ReadOnlySpan<byte> data, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (!TakeVarint(ref data, out var length) || length > (ulong)data.Length)
        {
            return false;
        }
        bytes = data[..(int)length];
        data = data[(int)length..];
        return true;
    }

    private static bool Skip(ref ReadOnlySpan<byte> data, ulong wireType) => wireType switch
    {
        0 => TakeVarint(ref data, out _),
        1 => TakeDouble(ref data, out _),
        2 => TakeBytes(ref data, out _),
        _ => false,
    };

    // Binary gRPC headers may come without padding.
    private static string Pad(string base64) => base64 + new string('=', (4 - (base64.Length % 4)) % 4);

    // Short forms of the text encoding.
    private void Add(string name, double value) => _values[name switch
    {
        "cpu" => "cpu_utilization",
        "mem" => "mem_utilization",
        "rps" => "rps_fractional",
        _ => name,
    }] = value;
}
