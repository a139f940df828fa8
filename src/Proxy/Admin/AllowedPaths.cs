using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Matching;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Type.Matcher.V3.StringMatcher;

namespace MeshProxy.Proxy.Admin;

/// <summary>The paths that the admin interface answers (Admin.allow_paths); all when none is named.</summary>
internal sealed class AllowedPaths
{
    private readonly StringMatcher[] _matchers;

    public AllowedPaths(MessageList<Config> config)
    {
        _matchers = new StringMatcher[config.Count];
        for (var i = 0; i < _matchers.Length; i++)
        {
            _matchers[i] = StringMatcher.Compile(config[i], $"admin.allow_paths[{i}]");
        }
    }

    /// <summary>The query does not count.</summary>
    public bool Allow(ReadOnlySpan<byte> pathAndQuery)
    {
        var path = HeaderUtility.PathWithoutQuery(pathAndQuery);
        foreach (var matcher in _matchers)
        {
            if (matcher.Match(path))
            {
                return true;
            }
        }
        return _matchers.Length == 0;
    }
}
