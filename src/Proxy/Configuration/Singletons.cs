namespace MeshProxy.Proxy.Configuration;

/// <summary>Objects of which the server has one (shared route tables, token buckets by name); compile side only, main loop.</summary>
public sealed class Singletons
{
    private readonly Dictionary<(Type Type, string Key), object> _objects = [];

    /// <summary>The object of that type and key, made at first use; it lives as long as the server.</summary>
    public T Get<T>(string key, Func<T> create)
        where T : class
    {
        if (_objects.TryGetValue((typeof(T), key), out var known))
        {
            return (T)known;
        }
        var made = create();
        _objects[(typeof(T), key)] = made;
        return made;
    }
}
