namespace MeshProxy.Interception;

/// <summary>
/// A refusal or failure that a person is shown: one sentence that says what, by which rule, and what to do.
/// </summary>
public sealed class InterceptionException(string message) : Exception(message);
