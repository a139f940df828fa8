using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MeshProxy.Agent.Dns;

/// <summary>Answers that we give ourselves.</summary>
internal static class DnsAnswer
{
    public const int FormatError = 1;
    public const int ServerFailure = 2;

    // As long as pilot-agent lets clients keep them.
    private const uint TimeToLive = 30;
    private const ushort Authoritative = 0x8400;
    private const ushort Response = 0x8000;
    private const ushort RecursionAvailable = 0x0080;
    private const ushort RecursionDesired = 0x0100;
    private const ushort Truncated = 0x0200;
    private const ushort OperationMask = 0x7800;
    private const int PointerFlag = 0xC000;

    /// <summary>A message that only says what went wrong.</summary>
    public static byte[] Failure(ReadOnlySpan<byte> query, int code)
    {
        var end = DnsQuestion.Read(query)?.End ?? DnsQuestion.HeaderLength;
        var answer = new byte[end];
        query[..Math.Min(end, query.Length)].CopyTo(answer);
        WriteHeader(answer, query, (ushort)(Response | RecursionAvailable | code), answers: 0, hasQuestion: end > DnsQuestion.HeaderLength);
        return answer;
    }

    /// <summary>Addresses of a name, shuffled; when they do not fit, as many as do and a mark.</summary>
    public static byte[] Addresses(ReadOnlySpan<byte> query, DnsQuestion question, NameMatch match, int largest)
    {
        var answer = new MemoryStream();
        answer.Write(query[..question.End]);
        var family = question.Type == DnsQuestion.TypeA ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        var addresses = match.Addresses.Where(address => address.AddressFamily == family).ToArray();
        Random.Shared.Shuffle(addresses);
        var count = 0;
        var isCut = false;
        var owner = new Owner(question.Name, DnsQuestion.HeaderLength, IsAsAsked(query, question));
        if (match.Target is { } target && addresses.Length > 0)
        {
            owner = WriteAlias(answer, owner, target);
            count++;
        }
        foreach (var address in addresses)
        {
            var before = answer.Length;
            var next = WriteAddress(answer, owner, question.Type, address);
            if (answer.Length > largest)
            {
                answer.SetLength(before);
                isCut = true;
                break;
            }
            owner = next;
            count++;
        }
        var bytes = answer.ToArray();
        WriteHeader(bytes, query, (ushort)(Authoritative | RecursionAvailable | (isCut ? Truncated : 0)), count, hasQuestion: true);
        return bytes;
    }

    private static bool IsAsAsked(ReadOnlySpan<byte> query, DnsQuestion question)
    {
        foreach (var character in query[DnsQuestion.HeaderLength..question.End])
        {
            if (character is >= (byte)'A' and <= (byte)'Z')
                return false;
        }
        return true;
    }

    private static void WriteHeader(Span<byte> answer, ReadOnlySpan<byte> query, ushort flags, int answers, bool hasQuestion)
    {
        var asked = query.Length >= 4 ? BinaryPrimitives.ReadUInt16BigEndian(query[2..]) : (ushort)0;
        BinaryPrimitives.WriteUInt16BigEndian(answer[2..], (ushort)(flags | (asked & (RecursionDesired | OperationMask))));
        BinaryPrimitives.WriteUInt16BigEndian(answer[4..], hasQuestion ? (ushort)1 : (ushort)0);
        BinaryPrimitives.WriteUInt16BigEndian(answer[6..], (ushort)answers);
        BinaryPrimitives.WriteUInt32BigEndian(answer[8..], 0);
    }

    private static Owner WriteAlias(MemoryStream answer, Owner owner, string target)
    {
        WriteStart(answer, owner, DnsQuestion.TypeCname);
        var name = Name(target);
        WriteUInt16(answer, name.Length);
        var place = (int)answer.Length;
        answer.Write(name);
        return new Owner(target, place, true);
    }

    private static Owner WriteAddress(MemoryStream answer, Owner owner, int type, IPAddress address)
    {
        var place = owner.IsWritten ? owner.Place : (int)answer.Length;
        WriteStart(answer, owner, type);
        var bytes = address.GetAddressBytes();
        WriteUInt16(answer, bytes.Length);
        answer.Write(bytes);
        return owner with { Place = place, IsWritten = true };
    }

    private static void WriteStart(MemoryStream answer, Owner owner, int type)
    {
        if (owner.IsWritten)
            WriteUInt16(answer, PointerFlag | owner.Place);
        else
            answer.Write(Name(owner.Name));
        WriteUInt16(answer, type);
        WriteUInt16(answer, DnsQuestion.ClassInternet);
        WriteUInt16(answer, 0);
        WriteUInt16(answer, (int)TimeToLive);
    }

    private static byte[] Name(string name)
    {
        var bytes = new MemoryStream();
        foreach (var label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            bytes.WriteByte((byte)label.Length);
            bytes.Write(Encoding.Latin1.GetBytes(label));
        }
        bytes.WriteByte(0);
        return bytes.ToArray();
    }

    private static void WriteUInt16(MemoryStream answer, int value)
    {
        answer.WriteByte((byte)(value >> 8));
        answer.WriteByte((byte)value);
    }

    /// <summary>Whose record is written: by its name the first time, by a pointer to it from then on.</summary>
    private readonly record struct Owner(string Name, int Place, bool IsWritten);
}
