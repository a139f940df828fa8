using System.Collections.Concurrent;
using MeshProxy.Proxy.Security.Jwt;

namespace MeshProxy.Proxy.Http.Filters.JwtAuthn;

/// <summary>Tokens whose signature held, so that it is not verified again; claims and times still are.</summary>
internal sealed class JwtCache(uint size, uint maxTokenSize)
{
    /// <summary>Envoy's defaults: 100 tokens of at most 4 KiB.</summary>
    private const uint DefaultSize = 100;

    private const uint DefaultMaxTokenSize = 4096;

    private readonly ConcurrentDictionary<string, JsonWebToken> _tokens = new(StringComparer.Ordinal);
    private readonly uint _size = size == 0 ? DefaultSize : size;
    private readonly uint _maxTokenSize = maxTokenSize == 0 ? DefaultMaxTokenSize : maxTokenSize;

    public JsonWebToken? Find(string text) => _tokens.GetValueOrDefault(text);

    public void Add(string text, JsonWebToken token)
    {
        if (text.Length > _maxTokenSize)
        {
            return;
        }
        if (_tokens.Count >= _size)
        {
            _tokens.Clear();
        }
        _tokens[text] = token;
    }
}
