namespace MeshProxy.Bench.Load;

/// <summary>The server behind every proxy: nginx with one worker.</summary>
internal static class Backend
{
    public static Peer Start(Workshop workshop)
    {
        var configuration = File.ReadAllText(Path.Combine(workshop.Repository, "bench/Load/configurations/backend/nginx.conf"));
        var peer = Peer.Launch(workshop, PeerKind.Nginx, "backend/one", configuration, backend: 0);
        peer.WaitUntilListening(TimeSpan.FromSeconds(5));
        return peer;
    }
}
