package peer

import (
	"sync"
	"time"
)

const (
	// breakAfter consecutive failures to connect open the breaker: fewer would
	// open it on one restart of the peer.
	breakAfter = 5
	// The pause doubles from shortest to longest. The cap is short so that a peer
	// that came back is used again before anybody asks why not.
	shortestPause = 2 * time.Second
	longestPause  = 30 * time.Second
)

// outcome is what one call says about whether its peer can be reached.
type outcome int

const (
	neutral outcome = iota // says nothing: the client left, or the answer was late
	success                // the peer answered, with whatever status
	failure                // no connection could be made
)

// breaker refuses calls to a peer that cannot be reached, so that they fail fast
// and the peer is not buried when it comes back.
type breaker struct {
	now func() time.Time

	mu       sync.Mutex
	failures int
	pause    time.Duration // zero: closed
	until    time.Time     // open before this, half open after
	probing  bool          // half open: one call is finding out
}

// allow lets a call through or says how long to wait. An allowed call must be
// followed by exactly one report, with the probe it was given.
func (b *breaker) allow() (probe bool, wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pause == 0 {
		return false, 0, true
	}
	if wait := b.until.Sub(b.now()); wait > 0 {
		return false, wait, false
	}
	if b.probing {
		return false, shortestPause, false
	}
	b.probing = true
	return true, 0, true
}

func (b *breaker) report(probe bool, o outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if probe {
		b.probing = false
	}
	switch o {
	case success:
		b.failures, b.pause = 0, 0
	case failure:
		b.fail(probe)
	}
}

// fail counts. While the breaker is open only its probe can lengthen the pause:
// calls let through before it opened all fail about the same moment.
func (b *breaker) fail(probe bool) {
	b.failures++
	switch {
	case probe:
		b.pause = min(2*b.pause, longestPause)
	case b.pause == 0 && b.failures >= breakAfter:
		b.pause = shortestPause
	default:
		return
	}
	b.until = b.now().Add(b.pause)
}

// trip opens the breaker without counting, for who has seen enough.
func (b *breaker) trip() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pause == 0 {
		b.pause = shortestPause
		b.until = b.now().Add(b.pause)
	}
}

// state is for routing: open also while a probe is under way.
func (b *breaker) state() (open bool, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pause == 0 {
		return false, 0
	}
	if wait := b.until.Sub(b.now()); wait > 0 {
		return true, wait
	}
	return b.probing, 0
}
