package contact

import "sync"

// recent is what the journal said lately, in memory, so that no peer can make us
// read the database for it.
type recent[T any] struct {
	room    int
	applied func() int64 // the journal's sequence that everything before is known of

	mu    sync.Mutex
	known bool // whether floor and last are set
	// Of the rows after floor and up to last all are in list that matter.
	floor, last int64
	list        []numbered[T]
	more        chan struct{} // closed when the list grows or is dropped
}

type numbered[T any] struct {
	seq  int64
	what T
}

func newRecent[T any](room int, applied func() int64) *recent[T] {
	return &recent[T]{room: room, applied: applied, more: make(chan struct{})}
}

// note takes the next row of the journal, and what matters in it, if anything.
func (r *recent[T]) note(seq int64, what ...T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.known {
		r.known, r.floor = true, seq-1
	}
	r.last = seq
	for _, w := range what {
		r.list = append(r.list, numbered[T]{seq, w})
	}
	if len(r.list) > r.room {
		// A quarter at once: what is kept is copied, since others may be reading it.
		over := len(r.list) - r.room*3/4
		r.floor = r.list[over-1].seq
		for over < len(r.list) && r.list[over].seq <= r.floor { // the rest of a row that is gone in part
			over++
		}
		r.list = append([]numbered[T](nil), r.list[over:]...)
	}
	if len(what) > 0 {
		r.announce()
	}
}

// forget is for when rows may have been missed, or one cannot be told.
func (r *recent[T]) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known, r.list = false, nil
	r.announce()
}

// forgetUpTo drops what was before a row that cannot be told.
func (r *recent[T]) forgetUpTo(seq int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known, r.floor, r.last, r.list = true, seq, seq, nil
	r.announce()
}

func (r *recent[T]) announce() {
	close(r.more)
	r.more = make(chan struct{})
}

// after is what matters after seq, up to which row that is all, and a channel
// that is closed when there is more. It is false where that is not known.
func (r *recent[T]) after(seq int64) (list []numbered[T], last int64, more <-chan struct{}, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.known {
		// Asked for under the lock: what is noted next begins after it.
		last = r.applied()
		return nil, last, r.more, seq == last
	}
	if seq < r.floor || seq > r.last {
		return nil, r.last, r.more, false
	}
	first := len(r.list)
	for first > 0 && r.list[first-1].seq > seq {
		first--
	}
	return r.list[first:], r.last, r.more, true
}
