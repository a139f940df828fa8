namespace MeshProxy.Interception.Host;

/// <summary>
/// What a program left: its exit status and both outputs. <see cref="Missing"/>: there is no such program.
/// </summary>
public sealed record CommandResult(int Exit, string Output, string Errors, bool Missing = false)
{
    public bool Succeeded => Exit == 0;

    /// <summary>The first line of what it complained about, for a sentence.</summary>
    public string Complaint
    {
        get
        {
            var text = Errors.Trim().Length > 0 ? Errors.Trim() : Output.Trim();
            var end = text.IndexOf('\n');
            return text.Length == 0 ? $"exit status {Exit}" : end < 0 ? text : text[..end];
        }
    }
}
