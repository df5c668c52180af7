package peer

import (
	"sync"
	"time"

	"causeway/internal/problem"
)

// slots bound the requests under way to one peer, and of them those of one
// principal: somebody whose requests all wait must not take the peer from others.
type slots struct {
	max, each int

	mu    sync.Mutex
	taken int
	of    map[string]int
}

// take gets a slot for who, which give returns.
func (s *slots) take(who string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.of[who] >= s.each:
		return problem.New(problem.TooManyRequests, "Too many of your requests to this site are under way.").After(time.Second)
	case s.taken >= s.max:
		return problem.New(problem.Unavailable, "Too many requests to this site are under way.").After(time.Second)
	}
	if s.of == nil {
		s.of = map[string]int{}
	}
	s.taken++
	s.of[who]++
	return nil
}

func (s *slots) give(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.of[who]--; s.of[who] == 0 {
		delete(s.of, who)
	}
}
