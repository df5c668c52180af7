package services

import (
	"sync"
	"time"
)

const (
	// hooksAtOnce is how many calls one cell makes at the same time, and hooksOfOne how
	// many of them to one instance.
	hooksAtOnce = 32
	hooksOfOne  = 2
)

// turns are the calls of hooks that are under way, by instance.
type turns struct {
	mu    sync.Mutex
	under int
	of    map[InstanceID]*turn
}

type turn struct {
	under int
	rests time.Time // after a failure: what fails once may fail for long
}

func (t *turn) may(now time.Time) bool { return t.under < hooksOfOne && !now.Before(t.rests) }

// free is how many calls may begin, and to which instances none.
func (s *turns) free(now time.Time) (n int, not []InstanceID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, t := range s.of {
		switch {
		case !t.may(now):
			not = append(not, id)
		case t.under == 0:
			delete(s.of, id)
		}
	}
	return hooksAtOnce - s.under, not
}

// take is for a call that is to begin.
func (s *turns) take(id InstanceID, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[InstanceID]*turn{}
	}
	t := s.of[id]
	if t == nil {
		t = &turn{}
		s.of[id] = t
	}
	if !t.may(now) {
		return false
	}
	t.under++
	s.under++
	return true
}

func (s *turns) give(id InstanceID, failed bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.under--
	t := s.of[id]
	t.under--
	if failed {
		t.rests = now.Add(hookPause)
	}
}
