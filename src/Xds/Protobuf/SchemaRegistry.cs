using System.Text;

namespace MeshProxy.Xds.Protobuf;

/// <summary>
/// Every message and enum type the proxy knows. The table is embedded and read in place: a type costs nothing until it
/// is asked for, and there is no registration at start.
/// </summary>
public static unsafe class SchemaRegistry
{
    private const int Magic = 0x3153504D;
    private const int HeaderLength = 4 * sizeof(int);
    private const string UrlPrefix = "type.googleapis.com/";

    private static readonly byte* Data = Load();
    private static readonly int StringCount = ReadHeader(1);
    private static readonly int MessageCount = ReadHeader(2);
    private static readonly int EnumCount = ReadHeader(3);
    private static readonly int TypeOffsets = HeaderLength + ((StringCount + 1) * sizeof(int));
    private static readonly int StringStart = TypeOffsets + ((MessageCount + EnumCount) * sizeof(int));
    private static readonly int RecordStart = StringStart + ReaderAt(HeaderLength + (StringCount * sizeof(int))).ReadFixed32();
    private static readonly string?[] Strings = new string?[StringCount];
    private static readonly MessageType?[] Messages = new MessageType?[MessageCount];
    private static readonly EnumType?[] Enums = new EnumType?[EnumCount];

    /// <summary>Number of message types known.</summary>
    public static int Count => MessageCount;

    /// <summary>The message type of a full name such as <c>envoy.config.cluster.v3.Cluster</c>, or null.</summary>
    public static MessageType? Find(string fullName)
    {
        Span<byte> name = stackalloc byte[256];
        if (!Encoding.UTF8.TryGetBytes(fullName, name, out var length))
        {
            return null;
        }

        return Find(name[..length]);
    }

    internal static MessageType? Find(ReadOnlySpan<byte> name)
    {
        for (int low = 0, high = MessageCount - 1; low <= high;)
        {
            var middle = (low + high) / 2;
            var order = NameOf(middle).SequenceCompareTo(name);
            if (order == 0)
            {
                return MessageAt(middle);
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return null;
    }

    /// <summary>The message type a type URL names (what follows its last slash), or null.</summary>
    public static MessageType? FindByUrl(string typeUrl) => Find(NameInUrl(typeUrl));

    /// <summary>The full name in a type URL.</summary>
    public static string NameInUrl(string typeUrl) => typeUrl[(typeUrl.LastIndexOf('/') + 1)..];

    /// <summary>The type URL of a full name.</summary>
    public static string UrlOf(string fullName) => UrlPrefix + fullName;

    /// <summary>A type by its index in the table; for generated code.</summary>
    public static MessageType MessageAt(int index) => Volatile.Read(ref Messages[index]) ?? LoadMessage(index);

    internal static EnumType EnumAt(int index)
    {
        var known = Volatile.Read(ref Enums[index]);
        return known ?? Publish(ref Enums[index], new EnumType(ReaderAt(RecordOf(MessageCount + index))));
    }

    internal static SchemaReader ReaderAt(int offset) => new(Data, offset);

    internal static string StringAt(int id)
    {
        var known = Volatile.Read(ref Strings[id]);
        if (known != null)
        {
            return known;
        }

        var offsets = ReaderAt(HeaderLength + (id * sizeof(int)));
        var start = offsets.ReadFixed32();
        return Publish(ref Strings[id], ReaderAt(StringStart + start).ReadText(offsets.ReadFixed32() - start));
    }

    private static MessageType LoadMessage(int index) =>
        Publish(ref Messages[index], new MessageType(ReaderAt(RecordOf(index))));

    /// <summary>Types are compared by reference, so whoever comes second takes the first one's object.</summary>
    private static T Publish<T>(ref T? slot, T value)
        where T : class => Interlocked.CompareExchange(ref slot, value, null) ?? value;

    private static int RecordOf(int index) => RecordStart + ReaderAt(TypeOffsets + (index * sizeof(int))).ReadFixed32();

    private static ReadOnlySpan<byte> NameOf(int index)
    {
        var id = (int)ReaderAt(RecordOf(index)).ReadVarint();
        var offsets = ReaderAt(HeaderLength + (id * sizeof(int)));
        var start = offsets.ReadFixed32();
        return ReaderAt(StringStart + start).Span(offsets.ReadFixed32() - start);
    }

    private static int ReadHeader(int word) => ReaderAt(word * sizeof(int)).ReadFixed32();

    private static byte* Load()
    {
        // Resources of a loaded assembly are memory of the image: the pointer stays valid for the process.
        var resource = typeof(SchemaRegistry).Assembly.GetManifestResourceStream("schema.bin") as UnmanagedMemoryStream
            ?? throw new InvalidOperationException("the interface table schema.bin is missing from the executable: build it again");
        var data = resource.PositionPointer;
        return new SchemaReader(data, 0).ReadFixed32() == Magic
            ? data
            : throw new InvalidOperationException("the interface table schema.bin has an unknown form: generate it again");
    }
}
