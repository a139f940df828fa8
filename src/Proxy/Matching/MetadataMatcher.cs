using MeshProxy.Proxy.Observability;
using Config = Envoy.Type.Matcher.V3.MetadataMatcher;

namespace MeshProxy.Proxy.Matching;

/// <summary>A compiled type.matcher.v3.MetadataMatcher: a value at a path of a namespace.</summary>
public sealed class MetadataMatcher
{
    private readonly string _filter;
    private readonly string[] _path;
    private readonly ValueMatcher _value;
    private readonly bool _invert;

    public MetadataMatcher(Config config, string field)
    {
        _filter = config.Filter;
        _path = new string[config.Path.Count];
        for (var i = 0; i < _path.Length; i++)
        {
            _path[i] = config.Path[i].Key;
        }
        _value = ValueMatcher.Compile(config.Value ?? Envoy.Type.Matcher.V3.ValueMatcher.New(), $"{field}.value");
        _invert = config.Invert;
    }

    public bool Match(DynamicMetadata metadata) => _value.Match(MetadataPath.Find(metadata, _filter, _path)) != _invert;
}
