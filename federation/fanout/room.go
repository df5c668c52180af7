package fanout

import (
	"errors"
	"io"
	"sync"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

// Bounds of the answers that a cell holds for lists, in bytes as locations send
// them; while they are read and joined they take about three times as much memory.
const (
	// MaxAnswer bounds one location's answer, and maxAnswers what one request reads
	// in all.
	MaxAnswer  = 8 << 20
	maxAnswers = 64 << 20
	// heldByAll is for all lists of the cell, heldByOrg for those of one
	// organization: whoever asks sites that answer at length keeps nobody else out.
	heldByAll = 256 << 20
	heldByOrg = heldByAll / 4
)

// room is what is left of those bounds.
type room struct {
	mu   sync.Mutex
	held int
	of   map[tenants.OrgID]int
}

// fits reports whether an organization may hold n bytes more; mu is held.
func (r *room) fits(org tenants.OrgID, n int) bool {
	return r.held+n <= heldByAll && r.of[org]+n <= heldByOrg
}

// has reports whether one answer would find room, however long it is.
func (r *room) has(org tenants.OrgID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fits(org, MaxAnswer)
}

func (r *room) take(org tenants.OrgID, n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.fits(org, n) {
		return false
	}
	r.held += n
	r.of[org] += n
	return true
}

func (r *room) give(org tenants.OrgID, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held -= n
	if r.of[org] -= n; r.of[org] == 0 {
		delete(r.of, org)
	}
}

// full is the refusal of a list, or of a location of it, that found no room.
func full() error {
	return problem.Wrap(errFull, problem.Unavailable, "Too many lists at several locations are being read.").After(2 * time.Second)
}

var errFull = errors.New("fanout: no room for answers")

// Hold is what one request holds of answers.
type Hold struct {
	limits *Limits
	org    tenants.OrgID

	mu    sync.Mutex
	bytes int
	over  bool
}

// Take makes room for n bytes more. Its error is what the location is missing for.
func (h *Hold) Take(n int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.over || h.bytes+n > maxAnswers:
		return Unreadable()
	case !h.limits.room.take(h.org, n):
		return full()
	}
	h.bytes += n
	h.limits.bytes.Add(uint64(n))
	return nil
}

// close gives back all of it. Who reads still finds no room any more.
func (h *Hold) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.limits.room.give(h.org, h.bytes)
	h.bytes, h.over = 0, true
}

// Reader reads from r, and of one answer no more than one byte too many.
func (h *Hold) Reader(r io.Reader) io.Reader { return holding{h, io.LimitReader(r, MaxAnswer+1)} }

type holding struct {
	hold *Hold
	from io.Reader
}

func (r holding) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if refused := r.hold.Take(n); refused != nil {
		return 0, refused
	}
	return n, err
}
