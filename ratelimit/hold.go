package ratelimit

// Where a hold's bucket is, when it is not an index.
const (
	absent  = -1 // full, hence not stored; take will insert it
	spilled = -2 // there is no room: the table's spill bucket stands in
)

// hold is a bucket under lock: looked at first, taken from or let go afterwards.
// A decision holds one shard of each of its tables, always in the tables'
// order, so two decisions cannot wait for each other.
type hold struct {
	table *table
	shard *shard
	hash  uint64
	meter meter
	place int
	b     bucket
}

// hold locks the bucket of hash. ok is false, and nothing is locked, when this
// kind is switched off.
func (t *table) hold(hash uint64, now int64) (h hold, ok bool) {
	s := t.shard(hash)
	s.mu.Lock()
	if s.meter == nil {
		s.mu.Unlock()
		return h, false
	}
	h = hold{table: t, shard: s, hash: hash, meter: s.meter, place: s.find(hash)}
	switch {
	case h.place >= 0:
		h.b = s.entries[h.place].b
	case !s.room(now):
		t.spill.mu.Lock()
		h.place, h.meter, h.b = spilled, t.spill.meter, t.spill.b
	}
	return h, true
}

func (h *hold) take(now int64) {
	h.b = h.meter.take(h.b, now)
	h.shard.allowed++
	switch h.place {
	case spilled:
		h.table.spill.b = h.b
		h.shard.overflowed++
	case absent:
		h.shard.insert(entry{h.hash, h.b})
	default:
		h.shard.entries[h.place].b = h.b
	}
}

func (h *hold) release() {
	if h.place == spilled {
		h.table.spill.mu.Unlock()
	}
	h.shard.mu.Unlock()
}

// give returns a token and says what the bucket is then, if it is a key's own. One
// that is gone has regained it by itself: it is full.
func (t *table) give(c charge, taken, now int64) (m meter, b bucket) {
	if c.spilled {
		t.spill.mu.Lock()
		defer t.spill.mu.Unlock()
		t.spill.b = t.spill.meter.give(t.spill.b, taken, now)
		return nil, bucket{}
	}
	s := t.shard(c.hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(c.hash)
	if i < 0 {
		return s.meter, bucket{}
	}
	s.entries[i].b = s.meter.give(s.entries[i].b, taken, now)
	s.busy = 0 // it may be idle sooner than the last sweep thought
	return s.meter, s.entries[i].b
}
