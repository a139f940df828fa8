using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Explanation;

/// <summary>Parts of configuration as they are quoted in sentences.</summary>
internal static class MessageTexts
{
    // Longer quotations hide the sentence they stand in.
    private const int Longest = 240;

    /// <summary>One line of JSON, cut where it becomes long.</summary>
    public static string Short(Message? message)
    {
        var text = message?.ToJsonText(JsonWriteOptions.Compact) ?? "{}";
        return text.Length <= Longest ? text : $"{text[..Longest]}…";
    }

    public static string Duration(TimeSpan time) =>
        time == TimeSpan.Zero ? "none" : time.TotalSeconds >= 1 ? $"{time.TotalSeconds:0.###}s" : $"{time.TotalMilliseconds:0.###}ms";
}
