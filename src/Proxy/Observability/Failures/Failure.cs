namespace MeshProxy.Proxy.Observability.Failures;

/// <summary>What failures are grouped by: everything that would be explained alike.</summary>
/// <param name="Flags">Short names joined by commas; "-" without any.</param>
/// <param name="Code">The answer's status; 0 when there was none, as for connections.</param>
/// <param name="Details">`%RESPONSE_CODE_DETAILS%`, or the connection's termination details.</param>
/// <param name="TransportFailure">Why TCP or TLS failed, on either side; empty if neither did.</param>
internal readonly record struct FailureKey(
    string Flags, int Code, string Details, string TransportFailure, string Listener, string VirtualHost, string Route, string Cluster);

/// <summary>Failures of one kind.</summary>
/// <param name="Flags">Short names joined by commas in the order they were set; "-" without any.</param>
/// <param name="Code">The answer's status; 0 when there was none, as for connections.</param>
/// <param name="TransportFailure">Why TCP or TLS failed, on either side; empty if neither did.</param>
/// <param name="Policy">The authorisation policy that refused; empty if none did.</param>
/// <param name="Host">Endpoint of the last one; empty when none was chosen.</param>
/// <param name="Peer">The caller of the last one: its identity, else its address.</param>
/// <param name="Example">Method, host and path (without query) of the last one; empty for connections.</param>
/// <param name="First">UTC.</param>
/// <param name="Last">UTC.</param>
public sealed record Failure(
    string Flags, int Code, string Details, string TransportFailure, string Policy, string Listener, string VirtualHost, string Route,
    string Cluster, string Host, string Peer, string Example, long Count, DateTime First, DateTime Last)
{
    /// <summary>What was refused, by what rule, and what to change: one sentence.</summary>
    public string Sentence => FailureSentences.Of(this);
}
