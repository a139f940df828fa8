using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace MeshProxy.Proxy.Upstream.Dns;

/// <summary>
/// A stub resolver: /etc/hosts first, then DNS over UDP with TCP for what does not fit. Runs on the thread pool; gives times
/// to live, which getaddrinfo does not.
/// </summary>
internal sealed class DnsResolver(ResolverSettings settings, HostsFile hosts) : IDnsResolver
{
    // RFC 1035 4.2.1 allows 512 bytes without EDNS0; servers that send more are read all the same.
    private const int MaxUdpMessage = 4096;
    private const int NoError = 0;
    private const int NameError = 3;

    public async Task<DnsAnswer> ResolveAsync(string name, DnsFamily family, CancellationToken cancellation)
    {
        if (IPAddress.TryParse(name, out var literal))
        {
            return Fits(literal, family) ? new DnsAnswer([new DnsAddress(literal, TimeSpan.MaxValue)]) : DnsAnswer.NoData;
        }
        return family switch
        {
            DnsFamily.V4Only => await LookUpAsync(name, DnsMessage.TypeA, cancellation),
            DnsFamily.V6Only => await LookUpAsync(name, DnsMessage.TypeAaaa, cancellation),
            DnsFamily.V4Preferred => await FirstOfAsync(name, DnsMessage.TypeA, DnsMessage.TypeAaaa, cancellation),
            DnsFamily.All => await BothAsync(name, cancellation),
            _ => await FirstOfAsync(name, DnsMessage.TypeAaaa, DnsMessage.TypeA, cancellation),
        };
    }

    private static bool Fits(IPAddress address, DnsFamily family) => family switch
    {
        DnsFamily.V4Only => address.AddressFamily == AddressFamily.InterNetwork,
        DnsFamily.V6Only => address.AddressFamily == AddressFamily.InterNetworkV6,
        _ => true,
    };

    private async Task<DnsAnswer> FirstOfAsync(string name, ushort first, ushort second, CancellationToken cancellation)
    {
        var answer = await LookUpAsync(name, first, cancellation);
        return answer.Addresses.Count > 0 ? answer : await LookUpAsync(name, second, cancellation);
    }

    private async Task<DnsAnswer> BothAsync(string name, CancellationToken cancellation)
    {
        var v4 = LookUpAsync(name, DnsMessage.TypeA, cancellation);
        var v6 = LookUpAsync(name, DnsMessage.TypeAaaa, cancellation);
        var (a, aaaa) = (await v4, await v6);
        return a.Addresses.Count == 0 && aaaa.Addresses.Count == 0
            ? (a.Failure is null ? aaaa : a)
            : new DnsAnswer([.. aaaa.Addresses, .. a.Addresses]);
    }

    private async Task<DnsAnswer> LookUpAsync(string name, ushort type, CancellationToken cancellation)
    {
        var family = type == DnsMessage.TypeA ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        if (hosts.Knows(name))
        {
            var known = hosts.Find(name, family);
            return known.Count == 0
                ? DnsAnswer.NoData
                : new DnsAnswer(known.ConvertAll(static address => new DnsAddress(address, TimeSpan.Zero)));
        }
        // RFC 6761 6.3: localhost is this machine, whatever servers say.
        if (name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase))
        {
            var loopback = type == DnsMessage.TypeA ? IPAddress.Loopback : IPAddress.IPv6Loopback;
            return new DnsAnswer([new DnsAddress(loopback, TimeSpan.Zero)]);
        }
        // RFC 6761 6.4: names under invalid do not exist, and nobody need be asked.
        if (name.EndsWith(".invalid", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".invalid.", StringComparison.OrdinalIgnoreCase))
        {
            return DnsAnswer.NoName;
        }
        var result = DnsAnswer.NoName;
        foreach (var candidate in Candidates(name))
        {
            var (response, error) = await QueryAsync(candidate, type, cancellation);
            if (response is null)
            {
                return DnsAnswer.Failed(error!);
            }
            if (response.Code == NoError && response.Addresses.Count > 0)
            {
                return new DnsAnswer(response.Addresses);
            }
            result = response.Code switch
            {
                NoError => DnsAnswer.NoData,
                NameError => DnsAnswer.NoName,
                _ => DnsAnswer.Failed($"DNS server failure, code {response.Code}"),
            };
        }
        return result;
    }

    private IEnumerable<string> Candidates(string name)
    {
        var absolute = name.EndsWith('.') || name.Count(static c => c == '.') >= settings.Dots;
        if (absolute)
        {
            yield return name;
        }
        if (!name.EndsWith('.'))
        {
            foreach (var domain in settings.SearchDomains)
            {
                yield return $"{name}.{domain}";
            }
        }
        if (!absolute)
        {
            yield return name;
        }
    }

    private async Task<(DnsResponse? Response, string? Error)> QueryAsync(string name, ushort type, CancellationToken cancellation)
    {
        // Unpredictable, so that an answer cannot be forged from elsewhere (RFC 5452).
        var id = BinaryPrimitives.ReadUInt16LittleEndian(RandomNumberGenerator.GetBytes(2));
        if (DnsMessage.BuildQuery(id, name, type) is not { } query)
        {
            return (new DnsResponse(NameError, false, []), null);
        }
        var error = "DNS timeout";
        for (var attempt = 0; attempt < settings.Tries; attempt++)
        {
            foreach (var server in settings.Servers)
            {
                try
                {
                    if (await AskAsync(server, query, cancellation) is { } response)
                    {
                        return (response, null);
                    }
                }
                catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
                {
                    error = "DNS timeout";
                }
                catch (OperationCanceledException)
                {
                    return (null, "DNS query cancelled");
                }
                catch (SocketException refused)
                {
                    error = $"DNS server {server}: {refused.Message}";
                }
            }
        }
        return (null, error);
    }

    private async Task<DnsResponse?> AskAsync(IPEndPoint server, byte[] query, CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(settings.Timeout);
        if (settings.UseTcp)
        {
            return await AskTcpAsync(server, query, timeout.Token);
        }
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, timeout.Token);
        await socket.SendAsync(query, timeout.Token);
        var buffer = new byte[MaxUdpMessage];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, timeout.Token);
            if (DnsMessage.Parse(buffer.AsSpan(0, length), query) is { } response)
            {
                return response.Truncated ? await AskTcpAsync(server, query, timeout.Token) : response;
            }
        }
    }

    private static async Task<DnsResponse?> AskTcpAsync(IPEndPoint server, byte[] query, CancellationToken cancellation)
    {
        using var client = new TcpClient(server.AddressFamily);
        await client.ConnectAsync(server, cancellation);
        var stream = client.GetStream();
        var framed = new byte[query.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)query.Length);
        query.CopyTo(framed, 2);
        await stream.WriteAsync(framed, cancellation);
        var length = new byte[2];
        try
        {
            await stream.ReadExactlyAsync(length, cancellation);
            var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
            await stream.ReadExactlyAsync(message, cancellation);
            return DnsMessage.Parse(message, query);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
