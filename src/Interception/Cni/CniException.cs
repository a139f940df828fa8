namespace MeshProxy.Interception.Cni;

/// <summary>
/// An error as the CNI specification reports it: a code, what happened, and details. The runtime does not go on with
/// the pod.
/// </summary>
public sealed class CniException(int code, string message, string details = "") : Exception(message)
{
    public int Code => code;

    public string Details => details;

    // The specification's well-known codes, section "Error".
    public const int IncompatibleVersion = 1;
    public const int BadEnvironment = 4;
    public const int InputOutput = 5;
    public const int Decoding = 6;
    public const int BadConfiguration = 7;
    public const int TryAgain = 11;
    public const int NotAvailable = 50;

    /// <summary>From 100 on codes are a plugin's own: interception could not be set up.</summary>
    public const int Interception = 100;

    /// <summary>CHECK found other rules than ADD had set up.</summary>
    public const int RulesChanged = 101;
}
