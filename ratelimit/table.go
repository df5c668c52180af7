package ratelimit

import "sync"

// shardCount is a power of two, so that the shard is a few bits of the hash.
// Thirty-two locks are plenty for the cores we expect, and cost 4 KiB a table.
const (
	shardBits  = 5
	shardCount = 1 << shardBits
)

// table holds the buckets of one kind of one limit, and never more than its
// share of Config.MaxKeys. A bucket leaves only when it is full again, because
// then it says nothing: however many keys a stranger makes up, nobody's drained
// bucket is forgotten. When all are in use, new keys share the spill bucket.
type table struct {
	kind   Kind
	shift  uint // of a hash, to the number of its shard
	shards []shard
	spill  spill
}

func newTable(kind Kind, bits uint) *table {
	return &table{kind: kind, shift: 64 - bits, shards: make([]shard, 1<<bits)}
}

// spill has its own lock, always taken after that of a shard of the same table.
type spill struct {
	mu    sync.Mutex
	meter meter
	b     bucket
}

type entry struct {
	hash uint64
	b    bucket
}

// shard is a map into a slice: the slice can be swept for idle buckets at a
// nanosecond or two each, which a map cannot.
type shard struct {
	mu      sync.Mutex
	meter   meter // nil: switched off
	max     int
	index   map[uint64]uint32
	entries []entry
	hand    int   // where the next sweep begins
	busy    int64 // until then no bucket here is idle; spares sweeps in vain
	tally
	_ [40]byte // keep neighbours' locks off this one's last cache line
}

func (t *table) shard(hash uint64) *shard { return &t.shards[hash>>t.shift] }

// find returns the place of hash, or absent.
func (s *shard) find(hash uint64) int {
	if i, ok := s.index[hash]; ok {
		return int(i)
	}
	return absent
}

// room makes sure that one more bucket fits, if need be by forgetting idle
// ones. A sweep in vain remembers when it is worth trying again.
func (s *shard) room(now int64) bool {
	if len(s.entries) < s.max {
		return true
	}
	if now < s.busy {
		return false
	}
	soonest := int64(never)
	for range len(s.entries) {
		if s.hand >= len(s.entries) {
			s.hand = 0
		}
		at := s.meter.fullAt(s.entries[s.hand].b)
		if at > now {
			soonest = min(soonest, at)
			s.hand++
			continue
		}
		s.remove(s.hand)
		if len(s.entries) < s.max {
			return true
		}
	}
	s.busy = soonest
	return false
}

func (s *shard) remove(i int) {
	last := len(s.entries) - 1
	delete(s.index, s.entries[i].hash)
	if i != last {
		s.entries[i] = s.entries[last]
		s.index[s.entries[i].hash] = uint32(i)
	}
	s.entries = s.entries[:last]
}

// insert follows room.
func (s *shard) insert(e entry) {
	if s.index == nil {
		s.index = map[uint64]uint32{}
	}
	if n := len(s.entries); n == cap(s.entries) {
		// Doubling, but not past max: append would round up.
		grown := make([]entry, n, max(n+1, min(2*n, s.max)))
		copy(grown, s.entries)
		s.entries = grown
	}
	s.index[e.hash] = uint32(len(s.entries))
	s.entries = append(s.entries, e)
}

// set gives the table new numbers and keeps what its buckets know.
func (t *table) set(b Budget, exact bool, maxKeys int, now int64) {
	t.spill.set(newSpill(b, exact), now) // before any shard can need it
	for i := range t.shards {
		t.shards[i].set(newMeter(b, exact), max(1, maxKeys/len(t.shards)), now)
	}
}

// set keeps the old meter when the kind is switched off: calls under way may
// still be using it.
func (s *spill) set(m meter, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m == nil || m == s.meter {
		return
	}
	if s.meter != nil {
		s.b = m.adopt(s.meter, s.b, now)
	}
	s.meter = m
}

// set leaves a shard alone whose numbers stay: converted, each bucket would be
// rounded.
func (s *shard) set(m meter, maxKeys int, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m == s.meter && maxKeys == s.max {
		return
	}
	old, was := s.meter, s.entries
	s.meter, s.max, s.index, s.entries, s.hand, s.busy = m, maxKeys, nil, nil, 0, 0
	if m == nil || old == nil {
		return
	}
	for _, e := range was {
		if old.fullAt(e.b) > now {
			s.insert(entry{e.hash, m.adopt(old, e.b, now)})
		}
	}
}
