namespace MeshProxy.Proxy.Transport;

/// <summary>Removal by identity from short lists: List.Remove compares by the type's equality, which took 1 % of a request.</summary>
internal static class ReferenceLists
{
    /// <summary>Removes the last occurrence of this very object; false when it is not in the list.</summary>
    public static bool RemoveReference<T>(this List<T> list, T item)
        where T : class
    {
        for (var i = list.Count - 1; i >= 0; i--)
        {
            if (ReferenceEquals(list[i], item))
            {
                list.RemoveAt(i);
                return true;
            }
        }
        return false;
    }
}
