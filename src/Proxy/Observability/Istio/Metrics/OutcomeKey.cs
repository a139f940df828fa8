namespace MeshProxy.Proxy.Observability.Istio.Metrics;

/// <summary>What an exchange was, which its labels depend on.</summary>
internal enum ExchangeKind
{
    Http,
    Grpc,

    /// <summary>Counts of gRPC messages: without labels of the outcome, for they are reported before it is known.</summary>
    GrpcMessages,
    Tcp,
}

/// <summary>How an exchange went: all that its other labels follow from.</summary>
/// <param name="Flags">Response flags in their order, as a number.</param>
/// <param name="GrpcStatus">Null when there is none.</param>
/// <param name="Expressions">Values of the configuration's expressions.</param>
internal readonly record struct OutcomeKey(ExchangeKind Kind, int Code, ulong Flags, long? GrpcStatus, string[] Expressions)
{
    public bool Equals(OutcomeKey other) =>
        Kind == other.Kind && Code == other.Code && Flags == other.Flags && GrpcStatus == other.GrpcStatus
        && Expressions.AsSpan().SequenceEqual(other.Expressions);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add((int)Kind);
        hash.Add(Code);
        hash.Add(Flags);
        hash.Add(GrpcStatus ?? -1);
        foreach (var value in Expressions)
        {
            hash.Add(value.GetHashCode());
        }
        return hash.ToHashCode();
    }
}
