using System.Numerics;

namespace MeshProxy.Proxy.Transport;

/// <summary>
/// A hierarchical timer wheel of six levels of 64 slots with one tick a millisecond: arm and disarm are O(1), and the next
/// expiry is found by bit scans. A timer beyond the last level (2.1 years) waits there and is placed again.
/// </summary>
internal sealed class TimerWheel
{
    private const int Levels = 6;
    private const int BitsPerLevel = 6;
    private const int Slots = 1 << BitsPerLevel;
    private const long MaxDelay = (1L << (Levels * BitsPerLevel)) - 1;

    private readonly LoopTimer?[] _heads = new LoopTimer?[Levels * Slots];
    private readonly ulong[] _occupied = new ulong[Levels];
    private long _elapsed;

    public TimerWheel(long now) => _elapsed = now;

    public void Insert(LoopTimer timer, long expiry)
    {
        // A timer armed for a tick that has already run fires with the next advance.
        timer.Expiry = Math.Max(expiry, _elapsed + 1);
        Place(timer);
    }

    public void Remove(LoopTimer timer)
    {
        if (timer.Previous is null)
        {
            _heads[timer.Slot] = timer.Next;
            if (timer.Next is null)
            {
                _occupied[timer.Slot >> BitsPerLevel] &= ~(1UL << (timer.Slot & (Slots - 1)));
            }
        }
        else
        {
            timer.Previous.Next = timer.Next;
        }
        if (timer.Next is not null)
        {
            timer.Next.Previous = timer.Previous;
        }
        timer.Previous = timer.Next = null;
        timer.Slot = -1;
    }

    /// <summary>Milliseconds from <paramref name="now"/> to the next tick at which something may be due; -1 if nothing is armed.</summary>
    public long UntilNext(long now)
    {
        var next = NextSlot(out var deadline);
        return next < 0 ? -1 : Math.Max(0, deadline - now);
    }

    /// <summary>Takes one timer due at or before <paramref name="now"/>; null when there is none left.</summary>
    public LoopTimer? TakeDue(long now)
    {
        while (true)
        {
            var slot = NextSlot(out var deadline);
            if (slot < 0 || deadline > now)
            {
                if (now > _elapsed)
                {
                    _elapsed = now;
                }
                return null;
            }
            if (slot < Slots)
            {
                // The tick itself is still current, so that a timer armed by a callback never lands in a passed slot.
                _elapsed = Math.Max(_elapsed, deadline - 1);
                var due = _heads[slot]!;
                Remove(due);
                return due;
            }
            _elapsed = Math.Max(_elapsed, deadline - 1);
            Cascade(slot, deadline);
        }
    }

    private void Cascade(int slot, long deadline)
    {
        var timer = _heads[slot];
        _heads[slot] = null;
        _occupied[slot >> BitsPerLevel] &= ~(1UL << (slot & (Slots - 1)));
        _elapsed = deadline;
        while (timer is not null)
        {
            var next = timer.Next;
            timer.Previous = timer.Next = null;
            Place(timer);
            timer = next;
        }
    }

    private void Place(LoopTimer timer)
    {
        var expiry = Math.Min(timer.Expiry, _elapsed + MaxDelay);
        var differing = (ulong)(expiry ^ _elapsed) | (Slots - 1);
        var level = Math.Min(Levels - 1, (63 - BitOperations.LeadingZeroCount(differing)) / BitsPerLevel);
        var slot = (int)((expiry >> (level * BitsPerLevel)) & (Slots - 1));
        timer.Slot = (level << BitsPerLevel) | slot;
        timer.Next = _heads[timer.Slot];
        timer.Previous = null;
        if (timer.Next is not null)
        {
            timer.Next.Previous = timer;
        }
        _heads[timer.Slot] = timer;
        _occupied[level] |= 1UL << slot;
    }

    // The lowest occupied level holds the earliest timers: a level's slots ahead all lie before the next slot of the level above.
    private int NextSlot(out long deadline)
    {
        for (var level = 0; level < Levels; level++)
        {
            if (_occupied[level] == 0)
            {
                continue;
            }
            var shift = level * BitsPerLevel;
            var current = (int)((_elapsed >> shift) & (Slots - 1));
            var ahead = BitOperations.TrailingZeroCount(BitOperations.RotateRight(_occupied[level], current));
            var slot = (current + ahead) & (Slots - 1);
            var levelStart = (_elapsed >> (shift + BitsPerLevel)) << (shift + BitsPerLevel);
            deadline = levelStart + ((long)slot << shift);
            if (slot < current)
            {
                deadline += 1L << (shift + BitsPerLevel);
            }
            return (level << BitsPerLevel) | slot;
        }
        deadline = 0;
        return -1;
    }
}
