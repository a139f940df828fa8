namespace MeshProxy.SchemaGenerator;

/// <summary>Everything that is generated from the tables, by path relative to src/Xds.</summary>
public static class Outputs
{
    public static IReadOnlyDictionary<string, byte[]> Of(string xdsDirectory)
    {
        var tables = SchemaTables.Read(Path.Combine(xdsDirectory, "Schema"));
        var outputs = new Dictionary<string, byte[]>
        {
            [Path.Combine("Generated", "schema.bin")] = SchemaBinary.Write(tables),
        };
        foreach (var (name, content) in WrapperSource.Write(tables))
        {
            outputs[Path.Combine("Generated", name)] = System.Text.Encoding.UTF8.GetBytes(content);
        }

        return outputs;
    }

    public static void Write(string xdsDirectory)
    {
        var generated = Path.Combine(xdsDirectory, "Generated");
        if (Directory.Exists(generated))
        {
            Directory.Delete(generated, recursive: true);
        }

        Directory.CreateDirectory(generated);
        foreach (var (path, content) in Of(xdsDirectory))
        {
            File.WriteAllBytes(Path.Combine(xdsDirectory, path), content);
        }
    }
}
