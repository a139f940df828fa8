using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>`%GRPC_STATUS(…)%`: a name, or the number; nothing for requests that are not gRPC.</summary>
internal sealed class GrpcStatusOperator : FormatOperator
{
    private readonly Func<long, string?>? _name;

    public GrpcStatusOperator(string argument) =>
        _name = argument switch
        {
            "" or "CAMEL_STRING" => GrpcStatusNames.CamelCase,
            "SNAKE_STRING" => GrpcStatusNames.SnakeCase,
            "NUMBER" => null,
            _ => throw new ConfigurationException(
                $"%GRPC_STATUS({argument})% names an unknown form; use CAMEL_STRING, SNAKE_STRING or NUMBER."),
        };

    public override bool Write(in LogContext context, ByteWriter output)
    {
        if (Find(context) is not { } status)
        {
            return false;
        }
        if (_name?.Invoke(status) is { } name)
        {
            output.Write(name);
        }
        else
        {
            output.Write(status);
        }
        return true;
    }

    public override bool WriteJson(in LogContext context, ByteWriter output) =>
        _name is null ? Write(context, output) : base.WriteJson(context, output);

    private static long? Find(in LogContext context) =>
        GrpcStatusNames.IsGrpcRequest(context.RequestHeaders) ? GrpcStatusNames.Of(context) : null;
}
