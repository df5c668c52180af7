package cache

// place is where an entry is, from 1.
type place uint32

const (
	nowhere place = 0
	// maxSize is what places can number, with room to spare.
	maxSize = 1_000_000_000
	// chunkSize is how many entries are made room for at once: a slice that grew by
	// doubling would be held twice meanwhile.
	chunkSize = 512
)

type entry[K comparable, V any] struct {
	key          K
	value        V
	older, newer place // newer alone, of free places: the next one
	kept         bool
}

// ring keeps entries in the order of their use.
type ring[K comparable, V any] struct {
	size, kept     int
	chunks         [][]entry[K, V]
	oldest, newest place
	free           place // the first of those that were removed
}

func (r *ring[K, V]) at(at place) *entry[K, V] {
	i := int(at - 1)
	return &r.chunks[i/chunkSize][i%chunkSize]
}

// keeps reports whether an entry is at a place, which may be one of a ring before.
func (r *ring[K, V]) keeps(at place) bool {
	i := int(at) - 1
	return i >= 0 && i/chunkSize < len(r.chunks) && i%chunkSize < len(r.chunks[i/chunkSize]) && r.at(at).kept
}

func (r *ring[K, V]) full() bool { return r.kept == r.size }

func (r *ring[K, V]) add(key K, v V) place {
	at := r.room()
	*r.at(at) = entry[K, V]{key: key, value: v, kept: true}
	r.kept++
	r.link(at)
	return at
}

// room is a place without an entry.
func (r *ring[K, V]) room() place {
	if at := r.free; at != nowhere {
		r.free = r.at(at).newer
		return at
	}
	last := len(r.chunks) - 1
	if last < 0 || len(r.chunks[last]) == chunkSize {
		r.chunks = append(r.chunks, make([]entry[K, V], 0, min(chunkSize, r.size)))
		last++
	}
	r.chunks[last] = append(r.chunks[last], entry[K, V]{})
	return place(last*chunkSize + len(r.chunks[last]))
}

func (r *ring[K, V]) remove(at place) {
	r.unlink(at)
	*r.at(at) = entry[K, V]{newer: r.free}
	r.free = at
	r.kept--
}

func (r *ring[K, V]) use(at place) {
	if at != r.newest {
		r.unlink(at)
		r.link(at)
	}
}

func (r *ring[K, V]) link(at place) {
	e := r.at(at)
	e.older, e.newer = r.newest, nowhere
	if r.newest != nowhere {
		r.at(r.newest).newer = at
	} else {
		r.oldest = at
	}
	r.newest = at
}

func (r *ring[K, V]) unlink(at place) {
	e := r.at(at)
	if e.older != nowhere {
		r.at(e.older).newer = e.newer
	} else {
		r.oldest = e.newer
	}
	if e.newer != nowhere {
		r.at(e.newer).older = e.older
	} else {
		r.newest = e.older
	}
}

// chunk is a copy of the i-th entries; false after the last.
func (r *ring[K, V]) chunk(i int) ([]entry[K, V], bool) {
	if i >= len(r.chunks) {
		return nil, false
	}
	var kept []entry[K, V]
	for _, e := range r.chunks[i] {
		if e.kept {
			kept = append(kept, e)
		}
	}
	return kept, true
}
