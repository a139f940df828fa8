using MeshProxy.Xds.Protobuf;
using Opentelemetry.Proto.Common.V1;

namespace MeshProxy.Proxy.Observability.OpenTelemetry;

/// <summary>Attributes in order of their first mention; a later value takes the place of an earlier one.</summary>
internal sealed class OtlpAttributeSet
{
    private readonly List<KeyValue> _pairs = [];

    public void Put(string key, string value)
    {
        var text = AnyValue.New();
        text.StringValue = value;
        var pair = KeyValue.New();
        pair.Key = key;
        pair.Value = text;
        Put(pair);
    }

    public void Put(KeyValue pair)
    {
        var known = _pairs.FindIndex(other => other.Key == pair.Key);
        if (known < 0)
        {
            _pairs.Add(pair);
        }
        else
        {
            _pairs[known] = pair;
        }
    }

    public void AddTo(MessageList<KeyValue> list) => list.AddRange(_pairs);
}
