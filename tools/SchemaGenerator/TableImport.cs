using System.Text.Json;

namespace MeshProxy.SchemaGenerator;

/// <summary>
/// Copies interface tables into the repository. <c>services.json</c> stays out (methods are named where they are called),
/// and the CEL syntax tree is declared a second time under the older name that RBAC conditions still use.
/// </summary>
internal static class TableImport
{
    private const string CelPackage = "cel.expr";
    private const string OlderCelPackage = "google.api.expr.v1alpha1";

    public static void Copy(string reference, string tables)
    {
        foreach (var old in Directory.EnumerateFiles(tables, "*.json"))
        {
            File.Delete(old);
        }

        foreach (var file in Directory.EnumerateFiles(reference, "*.json"))
        {
            if (Path.GetFileName(file) != "services.json")
            {
                Write(Path.Combine(tables, Path.GetFileName(file)), File.ReadAllText(file));
            }
        }

        var cel = File.ReadAllText(Path.Combine(tables, CelPackage + ".json"));
        Write(Path.Combine(tables, OlderCelPackage + ".json"), cel.Replace(CelPackage + ".", OlderCelPackage + ".", StringComparison.Ordinal));
    }

    private static void Write(string path, string text)
    {
        JsonDocument.Parse(text).Dispose();
        File.WriteAllText(path, text.TrimEnd() + "\n");
    }
}
