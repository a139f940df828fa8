namespace MeshProxy.Cli.Dumps;

/// <summary>A command cannot be carried out; the message is the one sentence its user sees.</summary>
internal sealed class CommandException(string message) : Exception(message);
