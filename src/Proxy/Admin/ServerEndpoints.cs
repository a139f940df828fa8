using Envoy.Admin.V3;
using MeshProxy.Proxy.Server;

namespace MeshProxy.Proxy.Admin;

/// <summary>What the process is and does: `/ready`, `/server_info`, `/healthcheck/…`, draining, ending, memory, logs.</summary>
internal sealed class ServerEndpoints(AdminServices services)
{
    public IEnumerable<AdminEndpoint> All()
    {
        yield return new AdminEndpoint("/ready", "print server state, return 200 if LIVE, otherwise return 503", false, _ => Ready());
        yield return new AdminEndpoint("/server_info", "print server version/status information", false, _ => Info());
        yield return new AdminEndpoint("/healthcheck/fail", "cause the server to fail health checks", true, _ => Health(failed: true));
        yield return new AdminEndpoint("/healthcheck/ok", "cause the server to pass health checks", true, _ => Health(failed: false));
        yield return new AdminEndpoint("/drain_listeners", "drain listeners", true, Drain);
        yield return new AdminEndpoint("/quitquitquit", "exit the server", true, _ => Quit());
        yield return new AdminEndpoint("/reopen_logs", "reopen access logs", true, _ => Reopen());
        yield return new AdminEndpoint("/memory", "print current allocation/heap usage", false, _ => MemoryUsage());
        yield return new AdminEndpoint("/hot_restart_version", "print the hot restart compatibility version", false,
            _ => AdminResponse.Text("disabled"));
        yield return new AdminEndpoint("/certs", "print certs on machine", false, _ => Certs());
        yield return new AdminEndpoint("/init_dump", "dump current Envoy init manager information (experimental)", false, _ => InitDump());
        yield return new AdminEndpoint("/contention", "dump current Envoy mutex contention stats (if enabled)", false,
            _ => AdminResponse.Text("Mutex contention tracing is not enabled. To enable, run Envoy with flag --enable-mutex-tracing.\n"));
        foreach (var (path, help) in new[]
        {
            ("/cpuprofiler", "enable/disable the CPU profiler"), ("/heapprofiler", "enable/disable the heap profiler"),
        })
        {
            yield return new AdminEndpoint(path, help, true,
                _ => AdminResponse.Text("The profiler is not part of this build; use dotnet-counters or perf on the process.\n", 501));
        }
        yield return new AdminEndpoint("/heap_dump", "dump current Envoy heap (if supported)", false,
            _ => AdminResponse.Text("The heap dump is not part of this build; use dotnet-gcdump on the process.\n", 501));
    }

    private AdminResponse Ready()
    {
        var state = services.State();
        return AdminResponse.Text(StateName(state) + "\n", state == ServerState.Live ? 200 : 503);
    }

    private static string StateName(ServerState state) =>
        state switch
        {
            ServerState.Live => "LIVE",
            ServerState.Draining => "DRAINING",
            ServerState.PreInitializing => "PRE_INITIALIZING",
            _ => "INITIALIZING",
        };

    private AdminResponse Info()
    {
        var info = ServerInfo.New();
        info.Version = services.Version;
        info.StateValue = (ServerInfo.State)(int)services.State();
        var uptime = TimeSpan.FromSeconds(Math.Floor((DateTime.UtcNow - services.StartTime).TotalSeconds));
        info.UptimeCurrentEpoch = uptime;
        info.UptimeAllEpochs = uptime;
        info.HotRestartVersion = "disabled";
        info.CommandLineOptions = services.CommandLine;
        info.Node = services.Node;
        return AdminResponse.OfMessage(info.Message, printDefaults: true);
    }

    private AdminResponse Health(bool failed)
    {
        services.FailHealth(failed);
        return AdminResponse.Text("OK\n");
    }

    private AdminResponse Drain(AdminQuery query)
    {
        if (query.Has("skip_exit") && !query.Has("graceful"))
        {
            return AdminResponse.Text("skip_exit requires graceful\n", 400);
        }
        services.DrainListeners(new DrainRequest(query.Has("graceful"), query.Has("inboundonly"), query.Has("skip_exit")));
        return AdminResponse.Text("OK\n");
    }

    private AdminResponse Quit()
    {
        services.Quit();
        return AdminResponse.Text("OK\n");
    }

    private AdminResponse Reopen()
    {
        services.AccessLogs.ReopenAll();
        return AdminResponse.Text("OK\n");
    }

    private static AdminResponse MemoryUsage()
    {
        var memory = Memory.New();
        memory.Allocated = (ulong)ProcessMemory.Allocated;
        memory.HeapSize = (ulong)ProcessMemory.HeapSize;
        memory.TotalPhysicalBytes = (ulong)ProcessMemory.Physical;
        return AdminResponse.OfMessage(memory.Message, printDefaults: true);
    }

    private AdminResponse Certs()
    {
        var all = Certificates.New();
        foreach (var certificate in services.Certificates())
        {
            all.CertificatesValue.Add(certificate);
        }
        return AdminResponse.OfMessage(all.Message, printDefaults: true);
    }

    private AdminResponse InitDump()
    {
        var dumps = UnreadyTargetsDumps.New();
        foreach (var (name, targets) in services.UnreadyTargets())
        {
            var dump = UnreadyTargetsDumps.UnreadyTargetsDump.New();
            dump.Name = name;
            dump.TargetNames.AddRange(targets);
            dumps.UnreadyTargetsDumpsValue.Add(dump);
        }
        return AdminResponse.OfMessage(dumps.Message);
    }
}
