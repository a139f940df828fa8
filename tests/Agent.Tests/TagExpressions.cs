using System.Text.RegularExpressions;

namespace MeshProxy.Agent.Tests;

/// <summary>What a tag's expression makes of a statistic's name.</summary>
internal static class TagExpressions
{
    /// <summary>What is removed from the name and the tag's value; null when it does not match.</summary>
    public static (string Removed, string Value)? Find(string expression, string statistic)
    {
        var match = Regex.Match(statistic, expression.Replace("[:digit:]", "0-9", StringComparison.Ordinal));
        return match.Success
            ? (match.Groups[1].Value, match.Groups[2].Success ? match.Groups[2].Value : match.Groups[1].Value)
            : null;
    }
}
