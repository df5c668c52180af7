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
	underway int64 // requests that hold it
	window   window
}

func (c *counter) idleAt() int64 {
	if c.underway > 0 {
		return never
	}
	return c.window.idleAt(c.id.slot())
}

type quotaShard struct {
	mu       sync.Mutex
	max      int
	counters map[counterID]*counter
	busy     int64 // until then no counter here is idle; spares sweeps in vain
	allowed  uint64
	refused  uint64
	full     uint64
	_        [8]byte // keep neighbours' locks off this one's cache line
}

// counter returns the counter of id, or nil when there is no room for it.
func (s *quotaShard) counter(id counterID, now int64) *counter {
	if c, ok := s.counters[id]; ok {
		return c
	}
	if len(s.counters) >= s.max && !s.sweep(now) {
		return nil
	}
	c := &counter{id: id}
	s.counters[id] = c
	return c
}

// sweep forgets every idle counter and reports whether there was one. A sweep
// in vain remembers when it is worth trying again.
func (s *quotaShard) sweep(now int64) bool {
	if now < s.busy {
		return false
	}
	soonest := int64(never)
	for id, c := range s.counters {
		if at := c.idleAt(); at > now {
			soonest = min(soonest, at)
			continue
		}
		delete(s.counters, id)
	}
	if len(s.counters) < s.max {
		return true
	}
	s.busy = soonest
	return false
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
