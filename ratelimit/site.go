package ratelimit

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// site is a site-wide bucket. Its lock is held from looking to taking: a
// reservation that is cancelled would give back too little when others reserved
// in between, and would cost an allocation for each refused call of a flood.
type site struct {
	mu   sync.Mutex
	lim  *rate.Limiter // nil: switched off
	last time.Time
	tally
}

func (s *site) set(b Budget, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now = s.notBefore(now)
	limit := rate.Limit(float64(b.Tokens) / max(b.Per, 1).Seconds())
	switch {
	case b.off():
		s.lim = nil
	case s.lim == nil:
		s.lim = rate.NewLimiter(limit, b.burst())
	default:
		s.lim.SetLimitAt(now, limit)
		s.lim.SetBurstAt(now, b.burst())
	}
}

// rounding is added to a wait, because rate.Limiter counts in floating point:
// after exactly the computed time it may lack a billionth of a token.
const rounding = time.Microsecond

// booking is the locked bucket as it was found; its zero value stands for one
// that is not asked.
type booking struct {
	site *site
	wait time.Duration
}

func (s *site) book(now time.Time) booking {
	s.mu.Lock()
	if s.lim == nil {
		s.mu.Unlock()
		return booking{}
	}
	missing := 1 - s.lim.TokensAt(s.notBefore(now))
	if missing <= 0 {
		return booking{site: s}
	}
	seconds := missing / float64(s.lim.Limit())
	return booking{s, time.Duration(seconds*float64(time.Second)) + rounding}
}

func (b booking) take() {
	if b.site != nil && b.site.lim.AllowN(b.site.last, 1) {
		b.site.allowed++
	}
}

func (b booking) release() {
	if b.site != nil {
		b.site.mu.Unlock()
	}
}

// notBefore keeps the limiter's clock from running backwards when two calls
// raced for the lock: it would credit the time in between twice.
func (s *site) notBefore(now time.Time) time.Time {
	if now.After(s.last) {
		s.last = now
	}
	return s.last
}
