package ratelimit

import "math/bits"

// slots is how many counters a strict bucket has, one byte each. The window is
// one slot less: a token comes back after the window at the earliest and one
// slot, a seventh of the window, later at the latest.
const slots = 8

// strict allows limit in any window, however they are spread; a token bucket
// would allow up to twice that. bucket.at is the number of the newest slot,
// and byte i of bucket.n counts what was taken in slot at-i.
type strict struct {
	slot  int64 // nanoseconds
	limit int
}

func newStrict(b Budget) strict {
	return strict{slot: (int64(b.Per) + slots - 2) / (slots - 1), limit: b.Tokens}
}

// advance shifts b so that its newest slot is the one of now.
func (s strict) advance(b bucket, now int64) bucket {
	at := max(now/s.slot, b.at)
	if shift := at - b.at; shift < slots {
		return bucket{at: at, n: b.n << (8 * shift)}
	}
	return bucket{at: at}
}

func (s strict) wait(b bucket, now int64) int64 {
	b = s.advance(b, now)
	surplus := total(b.n) - s.limit + 1 // how many must be forgotten first
	if surplus <= 0 {
		return 0
	}
	i := slots
	for surplus > 0 {
		i--
		surplus -= count(b.n, i)
	}
	return max(0, s.forgets(b.at-int64(i))-now)
}

func (s strict) take(b bucket, now int64) bucket {
	b = s.advance(b, now)
	b.n++
	return b
}

func (s strict) give(b bucket, taken, now int64) bucket {
	b = s.advance(b, now)
	if i := b.at - taken/s.slot; i >= 0 && i < slots && count(b.n, int(i)) > 0 {
		b.n -= 1 << (8 * i)
	}
	return b
}

func (s strict) fullAt(b bucket) int64 {
	if b.n == 0 {
		return 0
	}
	newest := int64(bits.TrailingZeros64(b.n) / 8)
	return s.forgets(b.at - newest)
}

func (s strict) used(b bucket, now int64) int { return total(s.advance(b, now).n) }

// adopt keeps the slots where the window has not changed. Otherwise all counts
// as taken just now: late rather than early.
func (s strict) adopt(old meter, b bucket, now int64) bucket {
	if o, ok := old.(strict); ok && o.slot == s.slot {
		return b
	}
	return bucket{at: now / s.slot, n: uint64(min(old.used(b, now), s.limit))}
}

func (s strict) size() int   { return s.limit }
func (s strict) span() int64 { return s.slot * (slots - 1) }

// forgets is when the tokens taken in slot come back.
func (s strict) forgets(slot int64) int64 { return (slot + slots) * s.slot }

func count(n uint64, i int) int { return int(byte(n >> (8 * i))) }

func total(n uint64) (sum int) {
	for ; n != 0; n >>= 8 {
		sum += int(byte(n))
	}
	return sum
}
