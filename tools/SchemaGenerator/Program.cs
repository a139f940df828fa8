using MeshProxy.SchemaGenerator;

switch (args)
{
    case ["import", var reference, var xds]:
        TableImport.Copy(reference, Path.Combine(xds, "Schema"));
        Outputs.Write(xds);
        return 0;
    case ["generate", var xds]:
        Outputs.Write(xds);
        return 0;
    default:
        Console.Error.WriteLine("usage: SchemaGenerator import <directory of reference tables> <src/Xds> | generate <src/Xds>");
        return 1;
}
