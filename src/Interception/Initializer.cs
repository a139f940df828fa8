using MeshProxy.Interception.Host;
using MeshProxy.Interception.Settings;
using MeshProxy.Interception.Validation;

namespace MeshProxy.Interception;

/// <summary>The `init` command: sets up, removes, shows or checks interception as its settings say.</summary>
public sealed class Initializer(InterceptionSettings settings, TextWriter output, TextWriter log)
{
    public const int Success = 0;
    public const int Failure = 1;

    /// <summary>Exit status of a failed check; repair controllers look for it (istio-iptables' own number).</summary>
    public const int ValidationFailure = 126;

    public int Run()
    {
        try
        {
            return settings.NetworkNamespace.Length == 0
                ? RunHere(new CommandRunner())
                : NetworkNamespace.Run(settings.NetworkNamespace, settings.CniMode, RunHere);
        }
        catch (InterceptionException e)
        {
            log.WriteLine($"Error: {e.Message}");
            return Failure;
        }
    }

    private int RunHere(ICommandRunner runner)
    {
        var network = PodNetwork.Discover(settings, Note);
        if (!settings.SkipApply)
            Program(new Interceptor(settings, network, runner, Note));
        if (!settings.RunValidation || settings.DryRun)
            return Success;
        if (new SelfTest(settings, network.IPv6).Run() is not { } failure)
        {
            Note("Redirection works.");
            return Success;
        }
        log.WriteLine($"Error: {failure}");
        return ValidationFailure;
    }

    private void Program(Interceptor interceptor)
    {
        if (settings.DryRun)
        {
            var shown = interceptor.Show();
            output.Write(shown);
            if (settings.DryRunFile.Length > 0)
                File.AppendAllText(settings.DryRunFile, shown);
            return;
        }
        if (settings.CleanupOnly)
        {
            interceptor.Remove();
            Note("Interception rules, routes and addresses are removed.");
            return;
        }
        interceptor.Apply();
        // The first thing to ask for when something is not captured.
        log.Write(interceptor.Snapshot());
    }

    private void Note(string sentence) => log.WriteLine(sentence);
}
