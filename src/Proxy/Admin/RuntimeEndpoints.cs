using MeshProxy.Proxy.Configuration.Runtime;
using MeshProxy.Proxy.Observability.Formatting;

namespace MeshProxy.Proxy.Admin;

/// <summary>`/runtime` and `/runtime_modify`.</summary>
internal sealed class RuntimeEndpoints(RuntimeLoader runtime)
{
    public IEnumerable<AdminEndpoint> All()
    {
        yield return new AdminEndpoint("/runtime", "print runtime values", false, _ => Show());
        yield return new AdminEndpoint(
            "/runtime_modify", "modify runtime", true, Modify);
    }

    private AdminResponse Show()
    {
        var output = new ByteWriter();
        output.Write("{\"layers\":["u8);
        for (var i = 0; i < runtime.Layers.Count; i++)
        {
            output.Write(i == 0 ? "" : ",");
            JsonText.WriteString(runtime.Layers[i].Name, output);
        }
        output.Write("],\"entries\":{"u8);
        var keys = runtime.Layers.SelectMany(layer => layer.Values.Keys).Distinct().Order(StringComparer.Ordinal);
        var first = true;
        foreach (var key in keys)
        {
            output.Write(first ? "" : ",");
            first = false;
            WriteEntry(key, output);
        }
        output.Write("}}"u8);
        return AdminResponse.OfJson(output.Written.ToArray());
    }

    private void WriteEntry(string key, ByteWriter output)
    {
        JsonText.WriteString(key, output);
        output.Write(":{\"layer_values\":["u8);
        var final = "";
        for (var i = 0; i < runtime.Layers.Count; i++)
        {
            var text = runtime.Layers[i].Values.TryGetValue(key, out var value) ? value.Text : "";
            final = value is null ? final : text;
            output.Write(i == 0 ? "" : ",");
            JsonText.WriteString(text, output);
        }
        output.Write("],\"final_value\":"u8);
        JsonText.WriteString(final, output);
        output.Write((byte)'}');
    }

    private AdminResponse Modify(AdminQuery query)
    {
        if (query.Parameters.Count == 0)
        {
            return AdminResponse.Text(
                "usage: /runtime_modify?key1=value1&key2=value2&keyN=valueN\n"
                + "       or send the parameters as form values\nuse an empty value to remove a previously added override", 400);
        }
        if (!runtime.HasAdminLayer)
        {
            return AdminResponse.Text("No admin layer specified", 503);
        }
        runtime.Modify(query.Parameters);
        return AdminResponse.Text("OK\n");
    }
}
