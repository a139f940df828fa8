namespace MeshProxy.Proxy.Upstream.Pools;

/// <summary>Intrusive list of clients in one state: moving one costs nothing and allocates nothing.</summary>
internal sealed class PoolClientList
{
    public PoolClient? First { get; private set; }

    public int Count { get; private set; }

    public bool IsEmpty => First is null;

    public void AddFirst(PoolClient client)
    {
        client.List = this;
        client.Previous = null;
        client.Next = First;
        if (First is not null)
        {
            First.Previous = client;
        }
        First = client;
        Count++;
    }

    public void Remove(PoolClient client)
    {
        if (client.Previous is null)
        {
            First = client.Next;
        }
        else
        {
            client.Previous.Next = client.Next;
        }
        if (client.Next is not null)
        {
            client.Next.Previous = client.Previous;
        }
        client.List = null;
        client.Previous = client.Next = null;
        Count--;
    }

    public PoolClient[] ToArray()
    {
        var all = new PoolClient[Count];
        var i = 0;
        for (var client = First; client is not null; client = client.Next)
        {
            all[i++] = client;
        }
        return all;
    }
}
