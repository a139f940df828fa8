using System.Net;
using System.Net.Sockets;
using Istio.Networking.Nds.V1;

namespace MeshProxy.Agent.Dns;

/// <summary>
/// The resolver that redirects bring a pod's questions to: names of the mesh from istiod's table, all others from the
/// pod's own resolvers.
/// </summary>
internal sealed class DnsProxy : IDisposable
{
    private const int LargestDatagram = 65535;
    private const int Backlog = 128;

    private static readonly TimeSpan IdleConnection = TimeSpan.FromSeconds(30);

    private readonly string _domain;
    private readonly string? _search;
    private readonly UpstreamResolver _upstream;
    private readonly Action<string> _log;
    private readonly List<Socket> _sockets = [];
    private readonly CancellationTokenSource _stop = new();
    private NameLookup? _names;

    /// <param name="domain">The proxy's DNS domain.</param>
    /// <param name="settings">The pod's resolv.conf.</param>
    /// <param name="log">Gets one sentence an event.</param>
    public DnsProxy(string domain, ResolverSettings settings, Action<string> log)
    {
        (_domain, _log) = (domain, log);
        _search = settings.Search.Count > 0 ? settings.Search[0] : null;
        _upstream = new UpstreamResolver(settings.Servers);
    }

    /// <summary>Answers on the loopback addresses that there are.</summary>
    /// <exception cref="AgentException">There is none to listen on.</exception>
    public void Start(int port)
    {
        foreach (var address in (ReadOnlySpan<IPAddress>)[IPAddress.Loopback, IPAddress.IPv6Loopback])
        {
            try
            {
                Listen(new IPEndPoint(address, port));
            }
            catch (SocketException refused)
            {
                _log($"Names are not answered on {address}: {refused.Message}.");
            }
        }
        if (_sockets.Count == 0)
            throw new AgentException($"names cannot be answered: port {port} of the loopback addresses cannot be listened on");
    }

    /// <summary>Takes a table in place of the one before.</summary>
    public void Update(NameTable table) => Volatile.Write(ref _names, new NameLookup(table, _domain, _search));

    public void Dispose()
    {
        _stop.Cancel();
        foreach (var socket in _sockets)
            socket.Dispose();
        _stop.Dispose();
    }

    private void Listen(IPEndPoint address)
    {
        var udp = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(address);
        _sockets.Add(udp);
        var tcp = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(tcp);
        tcp.Bind(address);
        tcp.Listen(Backlog);
        _ = ServeUdpAsync(udp, address);
        _ = ServeTcpAsync(tcp);
    }

    private async Task ServeUdpAsync(Socket socket, IPEndPoint local)
    {
        var buffer = new byte[LargestDatagram];
        var any = new IPEndPoint(local.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var received = await socket.ReceiveFromAsync(buffer, any, _stop.Token).ConfigureAwait(false);
                _ = AnswerUdpAsync(socket, buffer[..received.ReceivedBytes], received.RemoteEndPoint);
            }
            catch (SocketException)
            {
                // An earlier answer found its client gone.
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerUdpAsync(Socket socket, byte[] query, EndPoint client)
    {
        try
        {
            if (await AnswerAsync(query, overTcp: false).ConfigureAwait(false) is { } answer)
                await socket.SendToAsync(answer, client, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client asks again.
        }
    }

    private async Task ServeTcpAsync(Socket listener)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = AnswerTcpAsync(await listener.AcceptAsync(_stop.Token).ConfigureAwait(false));
            }
            catch (SocketException)
            {
                // The client was gone before it was accepted.
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerTcpAsync(Socket socket)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            while (true)
            {
                using var idle = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                idle.CancelAfter(IdleConnection);
                if (await UpstreamResolver.ReadFrameAsync(stream, idle.Token).ConfigureAwait(false) is not { } query
                    || await AnswerAsync(query, overTcp: true).ConfigureAwait(false) is not { } answer)
                    return;
                await UpstreamResolver.WriteFrameAsync(stream, answer, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client is gone or silent.
        }
    }

    // Null for what is no DNS message at all, which nobody could recognise an answer to.
    private async Task<byte[]?> AnswerAsync(byte[] query, bool overTcp)
    {
        if (query.Length < DnsQuestion.HeaderLength)
            return null;
        if (DnsQuestion.Read(query) is not { } question)
            return DnsAnswer.Failure(query, DnsAnswer.FormatError);
        if (Volatile.Read(ref _names) is not { } names)
            return DnsAnswer.Failure(query, DnsAnswer.ServerFailure);
        if (question is { Class: DnsQuestion.ClassInternet, Type: DnsQuestion.TypeA or DnsQuestion.TypeAaaa }
            && names.Find(question.Name) is { } match)
            return DnsAnswer.Addresses(query, question, match, overTcp ? LargestDatagram : question.LargestAnswer);
        return await _upstream.AskAsync(query, overTcp, _stop.Token).ConfigureAwait(false)
            ?? DnsAnswer.Failure(query, DnsAnswer.ServerFailure);
    }
}
