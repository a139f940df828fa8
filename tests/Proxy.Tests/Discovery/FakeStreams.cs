using MeshProxy.Proxy.Discovery;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Tests.Discovery;

/// <summary>A control plane in memory: what was asked is kept, answers are handed in.</summary>
internal sealed class FakeStreams : IDiscoveryStreams
{
    public List<FakeStream> Opened { get; } = [];

    public FakeStream Last => Opened[^1];

    public IDiscoveryStream? Open(string method, IDiscoveryStreamCallbacks callbacks)
    {
        Opened.Add(new FakeStream(callbacks));
        return Last;
    }

    internal sealed class FakeStream(IDiscoveryStreamCallbacks callbacks) : IDiscoveryStream
    {
        private readonly Queue<byte[]> _sent = new();

        public int Unread => _sent.Count;

        public bool WasReset { get; private set; }

        public void Send(byte[] message) => _sent.Enqueue(message);

        public void Reset() => WasReset = true;

        public T Next<T>()
            where T : struct, IMessage<T> => Message.Parse<T>(_sent.Dequeue());

        public void Answer(Message message) => callbacks.OnMessage(message.ToBytes());

        public void AnswerBytes(byte[] bytes) => callbacks.OnMessage(bytes);

        public void End(int status) => callbacks.OnClosed(status, "");
    }
}
