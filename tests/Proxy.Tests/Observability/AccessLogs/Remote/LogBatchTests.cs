using Envoy.Data.Accesslog.V3;
using Envoy.Service.Accesslog.V3;
using MeshProxy.Proxy.Observability.AccessLogs.Remote;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.AccessLogs.Remote;

public sealed class LogBatchTests
{
    [Fact]
    public void EntriesStayUntilTheBatchIsLargeEnough()
    {
        var batch = new Recorder(maxBytes: 100);
        batch.Add(Entry(40));
        Assert.Empty(batch.Sent);
        batch.Add(Entry(60));
        var list = Message.Parse<StreamAccessLogsMessage.HTTPAccessLogEntries>(Assert.Single(batch.Sent));
        Assert.Equal([40UL, 60UL], list.LogEntry.Select(entry => entry.Request!.Value.RequestBodyBytes));
    }

    [Fact]
    public void WithoutBufferingEachEntryGoesByItself()
    {
        var batch = new Recorder(maxBytes: 0);
        batch.Add(Entry(1));
        batch.Add(Entry(2));
        Assert.Equal(2, batch.Sent.Count);
        Assert.Equal(0, batch.Dropped);
    }

    [Fact]
    public void WhatCannotBeSentIsKeptUntilThereIsNoRoom()
    {
        var batch = new Recorder(maxBytes: 100) { Refuses = true };
        batch.Add(Entry(40));
        batch.Add(Entry(60));
        batch.Add(Entry(70));
        Assert.Empty(batch.Sent);
        Assert.Equal(1, batch.Dropped);

        batch.Refuses = false;
        batch.Add(Entry(80));
        var list = Message.Parse<StreamAccessLogsMessage.HTTPAccessLogEntries>(Assert.Single(batch.Sent));
        Assert.Equal(2, list.LogEntry.Count);
    }

    // An entry as long as it says.
    private static Message Entry(int size)
    {
        var request = HTTPRequestProperties.New();
        request.RequestBodyBytes = (ulong)size;
        request.Path = new string('a', size);
        var entry = HTTPAccessLogEntry.New();
        entry.Request = request;
        return entry.Message;
    }

    private sealed class Recorder(uint maxBytes)
        : LogBatch(new EventLoop("test", 0), new BatchSettings(TimeSpan.FromSeconds(1), maxBytes), 1)
    {
        public bool Refuses { get; set; }

        public List<byte[]> Sent { get; } = [];

        public int Dropped { get; private set; }

        protected override bool Send(ReadOnlySpan<byte> entries, int count)
        {
            if (!Refuses)
            {
                Sent.Add(entries.ToArray());
            }
            return !Refuses;
        }

        protected override void OnDropped() => Dropped++;
    }
}
