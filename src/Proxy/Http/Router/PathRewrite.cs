using System.Text;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using Envoy.Type.Matcher.V3;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>How a route changes the path (http-semantics 5). Works on Latin-1 text; rewriting is not the hot path.</summary>
internal abstract class PathRewrite
{
    /// <summary>The new path with its query, or null when nothing is to be changed.</summary>
    public abstract string? Rewrite(string path, PathSpecifier match, in LogContext context);

    /// <summary>Splits at `?`, the query with its question mark.</summary>
    protected static (string Path, string Query) Split(string path)
    {
        var at = path.IndexOf('?', StringComparison.Ordinal);
        return at < 0 ? (path, "") : (path[..at], path[at..]);
    }

    /// <summary>Replaces what the match matched.</summary>
    public sealed class Prefix(string replacement) : PathRewrite
    {
        public override string? Rewrite(string path, PathSpecifier match, in LogContext context)
        {
            var (plain, query) = Split(path);
            var length = Math.Min(match.MatchedLength(Encoding.Latin1.GetBytes(plain)), plain.Length);
            return replacement + plain[length..] + query;
        }
    }

    /// <summary>Replaces all matches in the path without query.</summary>
    public sealed class Regex(RegexMatchAndSubstitute config, string field) : PathRewrite
    {
        private readonly Re2Regex _regex = Re2Regex.Compile(config.Pattern?.Regex ?? "", $"{field}.pattern.regex");
        private readonly string _substitution = config.Substitution;

        public override string? Rewrite(string path, PathSpecifier match, in LogContext context)
        {
            var (plain, query) = Split(path);
            var rewritten = _regex.ReplaceAll(plain, _substitution);
            return rewritten.Length == 0 ? null : rewritten + query;
        }
    }

    /// <summary>A substitution format gives the path; the query stays.</summary>
    public sealed class Format(string format, string field) : PathRewrite
    {
        private readonly HeaderValueFormat _format = HeaderValueFormat.Compile(format, field);

        public override string? Rewrite(string path, PathSpecifier match, in LogContext context)
        {
            var rewritten = _format.Format(context);
            return rewritten.Length == 0 ? null : rewritten + Split(path).Query;
        }
    }

    /// <summary>uri_template_rewriter: the variables of the template match put into another path.</summary>
    public sealed class Template(string template) : PathRewrite
    {
        public override string? Rewrite(string path, PathSpecifier match, in LogContext context)
        {
            var (plain, query) = Split(path);
            if (match is not PathSpecifier.Template { Pattern: var pattern } || pattern.Capture(plain) is not { } values)
            {
                return null;
            }
            var rewritten = new StringBuilder(template);
            foreach (var (name, value) in values)
            {
                rewritten.Replace($"{{{name}}}", value);
            }
            return rewritten.Append(query).ToString();
        }
    }
}
