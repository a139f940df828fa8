using System.Runtime.InteropServices;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Listeners;
using MeshProxy.Proxy.Observability.Logging;
using MeshProxy.Proxy.Server;
using MeshProxy.Xds.Bootstrap;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Cli;

/// <summary>Runs the proxy with Envoy's own flags: `meshproxy -c bootstrap.yaml …`.</summary>
internal static class EnvoyCommand
{
    public static int Run(string[] arguments)
    {
        EnvoyOptions options;
        try
        {
            options = EnvoyOptions.Parse(arguments);
        }
        catch (OptionsException refused)
        {
            Console.Error.WriteLine($"error: {refused.Message}");
            return 1;
        }
        return options.Intent switch
        {
            RunIntent.ShowHelp => Print(EnvoyOptions.Help),
            RunIntent.ShowVersion => Print(ServerVersion.Text),
            _ => Serve(options, arguments),
        };
    }

    /// <summary>A server of a command line's bootstrap, not started.</summary>
    /// <exception cref="ConfigurationException">Something in the bootstrap cannot be served.</exception>
    /// <exception cref="ProtobufException">The bootstrap is malformed.</exception>
    /// <param name="options">The command line.</param>
    /// <param name="loggers">Where it says what happens.</param>
    /// <param name="earlyListener">The listener that serves before configuration has come; empty for none.</param>
    public static ProxyServer MakeServer(EnvoyOptions options, Loggers loggers, string earlyListener = "")
    {
        var loaded = BootstrapLoader.Load(options);
        foreach (var unknown in loaded.UnknownFields)
        {
            loggers.Config.Warning($"The bootstrap's field {unknown} is unknown and was left out (--allow-unknown-static-fields).");
        }
        return new ProxyServer(loaded.Bootstrap, Settings(options) with { EarlyListener = earlyListener }, loggers);
    }

    private static int Print(string text)
    {
        Console.Out.WriteLine(text);
        return 0;
    }

    private static int Serve(EnvoyOptions options, string[] arguments)
    {
        if (options.Mode == ServerMode.Serve)
        {
            MemorySettings.Apply(arguments);
        }
        using var logFile = options.LogPath.Length > 0 ? new StreamWriter(options.LogPath, append: true) : null;
        var sink = new LogSink(logFile ?? Console.Error, options.LogFormat);
        var loggers = new Loggers(sink, options.LogLevel, options.ComponentLogLevels);
        try
        {
            using var server = MakeServer(options, loggers);
            if (options.Mode == ServerMode.Validate)
            {
                server.Validate();
                Console.Out.WriteLine($"configuration '{options.ConfigPath}' OK");
                return 0;
            }
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, server));
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, server));
            server.Run();
            return 0;
        }
        catch (Exception refused) when (refused is ConfigurationException or ProtobufException or IOException or UnauthorizedAccessException)
        {
            loggers.Main.Critical($"error initializing configuration '{options.ConfigPath}': {refused.Message}");
            if (options.LogLevel == LogLevel.Off)
            {
                Console.Error.WriteLine(refused.Message);
            }
            return 1;
        }
    }

    private static void Stop(PosixSignalContext context, ProxyServer server)
    {
        context.Cancel = true;
        server.Shutdown();
    }

    private static ServerOptions Settings(EnvoyOptions options) => new()
    {
        Concurrency = (int)(options.Concurrency is { } given ? Math.Max(1, given) : (uint)Environment.ProcessorCount),
        DrainTime = options.DrainTime,
        DrainStrategy = options.DrainsImmediately ? DrainStrategy.Immediate : DrainStrategy.Gradual,
        ParentShutdownTime = options.ParentShutdownTime,
        FileFlushInterval = options.FileFlushInterval,
        FileFlushMinSizeKb = (int)options.FileFlushMinimumSizeKb,
        RejectUnknownDynamicFields = options.RejectUnknownDynamicFields,
        AllowUnknownStaticFields = options.AllowUnknownStaticFields,
        AdminAddressPath = options.AdminAddressPath,
        CommandLine = CommandLineMessage.Of(options),
        StatsTags = options.StatsTags,
        ValidateOnly = options.Mode == ServerMode.Validate,
    };
}
