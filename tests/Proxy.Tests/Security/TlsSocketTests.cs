using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Tests.Transport;
using MeshProxy.Proxy.Transport;
using Xunit;

namespace MeshProxy.Proxy.Tests.Security;

/// <summary>Our client and our server: identities, refusals with Envoy's words, data in both directions, endings.</summary>
public sealed class TlsSocketTests : IDisposable
{
    private const string ClientUri = "spiffe://cluster.local/ns/default/sa/client";
    private const string ServerUri = "spiffe://cluster.local/ns/default/sa/server";

    private readonly LoopFixture _fixture = new();
    private readonly TestPki _pki = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Mutual_TLS_tells_each_side_who_the_other_is()
    {
        var pair = Mutual();
        var ends = pair.Connect();
        Assert.Equal("Connected", TlsPair.Event(ends.ClientRecorder));
        Assert.Equal("Connected", TlsPair.Event(ends.ServerRecorder));
        pair.Write(ends.Client, "question");
        Assert.Equal("question", TlsPair.Read(ends.ServerRecorder));
        pair.Write(ends.Server, "answer");
        Assert.Equal("answer", TlsPair.Read(ends.ClientRecorder));

        var seen = ends.Server.Tls!;
        Assert.True(seen.PeerCertificatePresented);
        Assert.True(seen.PeerCertificateValidated);
        Assert.Equal([ClientUri], seen.UriSansPeerCertificate);
        Assert.Equal([ServerUri], seen.UriSansLocalCertificate);
        Assert.Equal("O=client", seen.SubjectPeerCertificate);
        Assert.Equal("O=ca", seen.IssuerPeerCertificate);
        Assert.Equal("TLSv1.3", seen.TlsVersion);
        Assert.Equal("server.test", seen.Sni);
        Assert.Equal("istio", ends.Server.NextProtocol);
        Assert.Equal(["server.test"], ends.Client.Tls!.DnsSansPeerCertificate);
        Assert.Equal(1, pair.ServerStats.Stat("ssl.handshake"));
        Assert.Equal(1, pair.ServerStats.Stat("ssl.versions.TLSv1.3"));
        Assert.Equal(1, pair.ServerStats.Stat("ssl.curves.X25519"));
        Assert.Equal(1, pair.ClientStats.Stat("ssl.sigalgs.ecdsa_secp256r1_sha256"));
    }

    [Fact]
    public void Megabytes_arrive_whole_in_both_directions()
    {
        var pair = Mutual();
        var ends = pair.Connect();
        var text = string.Create(3_000_000, 7, static (span, seed) =>
        {
            var random = new Random(seed);
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = (char)random.Next('a', 'z');
            }
        });
        pair.Write(ends.Client, text);
        pair.Write(ends.Server, text);
        Assert.Equal(text, ReadAll(ends.ServerRecorder, text.Length));
        Assert.Equal(text, ReadAll(ends.ClientRecorder, text.Length));
    }

    [Fact]
    public void The_end_of_a_stream_is_close_notify()
    {
        var pair = Mutual();
        var ends = pair.Connect();
        pair.Write(ends.Client, "all", endStream: true);
        Assert.Equal("all", TlsPair.Read(ends.ServerRecorder));
        Assert.Equal("Connected", TlsPair.Event(ends.ServerRecorder));
        Assert.Equal("RemoteClose", TlsPair.Event(ends.ServerRecorder));
    }

    [Theory]
    [InlineData("none", "fail_verify_no_cert", "PEER_DID_NOT_RETURN_A_CERTIFICATE")]
    [InlineData("stranger", "fail_verify_error", "CERTIFICATE_VERIFY_FAILED:verify cert failed: X509_verify_cert: certificate verification error at depth 0: unable to get local issuer certificate")]
    [InlineData("expired", "fail_verify_error", "certificate has expired")]
    [InlineData("other", "fail_verify_san", "verify cert failed: SAN matcher")]
    public void A_client_that_may_not_is_refused_and_counted(string kind, string stat, string reason)
    {
        var identity = kind switch
        {
            "stranger" => new TestPki("elsewhere").Issue("O=client", uris: [ClientUri]),
            "expired" => _pki.Issue("O=client", uris: [ClientUri], days: -30),
            "other" => _pki.Issue("O=client", uris: ["spiffe://cluster.local/ns/default/sa/other"]),
            _ => default,
        };
        var pair = new TlsPair(_fixture.Loop, ServerYaml(), kind == "none" ? ClientYaml(null) : ClientYaml(identity));
        var ends = pair.Connect();
        Assert.Equal("RemoteClose", TlsPair.Event(ends.ServerRecorder));
        Assert.Contains(reason, ends.Server.TransportFailureReason, StringComparison.Ordinal);
        Assert.StartsWith("TLS_error:|268435", ends.Server.TransportFailureReason, StringComparison.Ordinal);
        Assert.Equal(1, pair.ServerStats.Stat($"ssl.{stat}"));
        Assert.Equal(0, pair.ServerStats.Stat("ssl.handshake"));
        Assert.Equal(0, pair.ServerStats.Stat("ssl.connection_error"));
        Assert.Equal(kind == "none" ? [] : identity.Certificate.Length > 0 && kind != "other" ? [ClientUri] : ["spiffe://cluster.local/ns/default/sa/other"],
            ends.Server.Tls!.UriSansPeerCertificate);
    }

    [Fact]
    public void A_server_without_the_asked_name_is_refused()
    {
        var pair = Mutual();
        var ends = pair.Connect(new TransportSocketOptions { VerifySubjectAltNamesOverride = ["other.test"] });
        Assert.Equal("RemoteClose", TlsPair.Event(ends.ClientRecorder));
        Assert.Contains("verify SAN list", ends.Client.TransportFailureReason, StringComparison.Ordinal);
        Assert.Equal(1, pair.ClientStats.Stat("ssl.fail_verify_san"));
    }

    [Fact]
    public void What_a_connection_asks_replaces_name_and_protocols()
    {
        var pair = Mutual();
        var ends = pair.Connect(new TransportSocketOptions
        {
            ServerNameOverride = "mine.test",
            ApplicationProtocolListOverride = ["istio-peer-exchange", "istio"],
            VerifySubjectAltNamesOverride = ["server.test"],
        });
        Assert.Equal("Connected", TlsPair.Event(ends.ServerRecorder));
        Assert.Equal("mine.test", ends.Server.Tls!.Sni);
        Assert.Equal("istio", ends.Client.NextProtocol);
    }

    [Fact]
    public void Sessions_resume_and_keep_the_identity()
    {
        var pair = Mutual();
        var first = pair.Connect();
        pair.Write(first.Server, "ticket follows");
        Assert.Equal("ticket follows", TlsPair.Read(first.ClientRecorder));
        var second = pair.Connect();
        Assert.Equal("Connected", TlsPair.Event(second.ServerRecorder));
        Assert.Equal(1, pair.ServerStats.Stat("ssl.session_reused"));
        Assert.Equal([ClientUri], second.Server.Tls!.UriSansPeerCertificate);
        Assert.True(second.Server.Tls!.PeerCertificateValidated);
    }

    [Theory]
    [InlineData("common_tls_context: {}", "No TLS certificates found for server context")]
    [InlineData("require_sni: true\ncommon_tls_context: { tls_certificates: [ CERT ] }", "require_sni")]
    [InlineData("common_tls_context: { tls_certificates: [ CERT ], tls_params: { cipher_suites: [ NOT-A-CIPHER ] } }", "rejected when tried individually: NOT-A-CIPHER")]
    [InlineData("common_tls_context: { tls_certificates: [ CERT ], tls_params: { ecdh_curves: [ P-1 ] } }", "Failed to initialize ECDH curves P-1")]
    [InlineData("common_tls_context: { tls_certificates: [ CERT ], validation_context: { trusted_ca: { inline_string: nonsense } } }", "Failed to load trusted CA certificates from <inline>")]
    [InlineData("common_tls_context: { tls_certificates: [ CERT ], validation_context: { match_typed_subject_alt_names: [ { san_type: URI, matcher: { exact: x } } ] } }", "SAN-based verification of peer certificates without trusted CA is insecure and not allowed")]
    [InlineData("common_tls_context: { tls_certificates: [ MISMATCH ] }", "KEY_VALUES_MISMATCH")]
    [InlineData("common_tls_context: { tls_certificates: [ CERT ], custom_handshaker: { name: x } }", "custom_handshaker")]
    [InlineData("common_tls_context: { tls_certificates: [ CERT ] }\nsession_ticket_keys: { keys: [ { inline_string: short } ] }", "Incorrect TLS session ticket key length")]
    public void What_cannot_be_served_is_refused(string yaml, string sentence)
    {
        var one = _pki.Issue("O=one");
        var two = _pki.Issue("O=two");
        yaml = yaml.Replace("CERT", TlsPair.Certificate(one), StringComparison.Ordinal)
            .Replace("MISMATCH", TlsPair.Certificate((one.Certificate, two.Key)), StringComparison.Ordinal);
        var refusal = Assert.Throws<ConfigurationException>(() => new TlsPair(_fixture.Loop, yaml, "sni: x"));
        Assert.Contains(sentence, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Expiry_is_known_of_every_context()
    {
        var pair = Mutual();
        Assert.Equal(29u, pair.Contexts.DaysUntilFirstCertificateExpires(DateTimeOffset.UtcNow));
        Assert.Contains(pair.Contexts.Certificates(), c => c.Own.Any(o => o.UriNames.Contains(ServerUri)));
    }

    private TlsPair Mutual() => new(_fixture.Loop, ServerYaml(), ClientYaml(_pki.Issue("O=client", uris: [ClientUri])));

    private string ServerYaml() => $$"""
        require_client_certificate: true
        common_tls_context:
          alpn_protocols: [ istio, h2 ]
          tls_certificates: [ {{TlsPair.Certificate(_pki.Issue("O=server", uris: [ServerUri], dns: ["server.test"]))}} ]
          validation_context:
            trusted_ca: {{TlsPair.Inline(_pki.Authority)}}
            match_typed_subject_alt_names: [ { san_type: URI, matcher: { exact: "{{ClientUri}}" } } ]
        """;

    private string ClientYaml((string Certificate, string Key)? identity) => $$"""
        sni: server.test
        common_tls_context:
          alpn_protocols: [ istio ]
          tls_params: { tls_maximum_protocol_version: TLSv1_3 }
          tls_certificates: [ {{(identity is { } own ? TlsPair.Certificate(own) : "")}} ]
          validation_context:
            trusted_ca: {{TlsPair.Inline(_pki.Authority)}}
            match_typed_subject_alt_names: [ { san_type: URI, matcher: { prefix: "spiffe://cluster.local/" } } ]
        """;

    private static string ReadAll(ConnectionRecorder recorder, int length)
    {
        var text = new System.Text.StringBuilder();
        while (text.Length < length)
        {
            text.Append(TlsPair.Read(recorder));
        }
        return text.ToString();
    }
}
