package ratelimit

import (
	"sync"
	"time"
)

// resource is what a counter counts.
type resource uint8

const (
	requests resource = iota
	concurrent
	bytes
)

var resources = [...]string{requests: "requests", concurrent: "concurrent requests", bytes: "bytes"}

// counterID names a counter. The window's length belongs to it: sessions of one
// principal that were issued under different policies are each held to their
// own, and neither empties the other's window by converting it.
type counterID struct {
	hash uint64
	what resource
	per  time.Duration // 0 for concurrent
}

// slot is the width of a slot of the counter's window, in nanoseconds.
func (id counterID) slot() int64 { return (int64(id.per) + slots - 2) / (slots - 1) }

// counter is what one key has used of one resource. An idle one says nothing
// and can be forgotten.
type counter struct {
	id       counterID
	owner    uint64 // the organization whose part of the shard it takes
	underway int64  // requests that hold it
	window   window
}

func (c *counter) idleAt() int64 {
	if c.underway > 0 {
		return never
	}
	return c.window.idleAt(c.id.slot())
}

// quotaShard fills a cache line, which keeps neighbours' locks off each other's.
type quotaShard struct {
	mu       sync.Mutex
	max      int32
	part     int32 // of max for one organization
	counters map[counterID]*counter
	owners   map[uint64]int32 // how many counters each organization has
	busy     int64            // until then no counter here is idle; spares sweeps in vain
	allowed  uint64
	refused  uint64
	full     uint64
}

// counter returns the counter of id, or nil when there is no room for another of
// the owner's.
func (s *quotaShard) counter(id counterID, owner uint64, now int64) *counter {
	if c, ok := s.counters[id]; ok {
		return c
	}
	if !s.room(owner) {
		s.sweep(now)
		if !s.room(owner) {
			return nil
		}
	}
	c := &counter{id: id, owner: owner}
	s.counters[id] = c
	s.owners[owner]++
	return c
}

func (s *quotaShard) room(owner uint64) bool {
	return len(s.counters) < int(s.max) && s.owners[owner] < s.part
}

// sweep forgets every idle counter and remembers when it is worth trying again:
// a counter that becomes idle sooner says so itself, see [Use.release].
func (s *quotaShard) sweep(now int64) {
	if now < s.busy {
		return
	}
	soonest := int64(never)
	for id, c := range s.counters {
		if at := c.idleAt(); at > now {
			soonest = min(soonest, at)
			continue
		}
		delete(s.counters, id)
		if s.owners[c.owner]--; s.owners[c.owner] == 0 {
			delete(s.owners, c.owner)
		}
	}
	s.busy = soonest
}

// window is a sliding window of slots that share its length but for one: used[i]
// was used in slot at-i. It is [strict] for numbers that need more than a byte.
type window struct {
	at   int64
	used [slots]int64
}

func (w *window) advance(slot, now int64) {
	shift := min(max(now/slot-w.at, 0), slots)
	if shift == 0 {
		return
	}
	copy(w.used[shift:], w.used[:])
	clear(w.used[:shift])
	w.at = now / slot
}

func (w *window) add(slot, now, n int64) {
	w.advance(slot, now)
	w.used[0] += n
}

// wait is how long until less than limit is used.
func (w *window) wait(slot, limit, now int64) int64 {
	w.advance(slot, now)
	sum := int64(0)
	for _, n := range w.used {
		sum += n
	}
	i := int64(slots)
	for sum >= limit {
		i--
		sum -= w.used[i]
	}
	if i == slots {
		return 0
	}
	return (w.at-i+slots)*slot - now
}

// idleAt is from when on nothing is used.
func (w *window) idleAt(slot int64) int64 {
	for i, n := range w.used {
		if n > 0 {
			return (w.at - int64(i) + slots) * slot
		}
	}
	return 0
}
