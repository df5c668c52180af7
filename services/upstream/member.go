package upstream

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// tolerated is how many failures in a row take an upstream out.
	tolerated = 5
	// minEjection is for how long, the first time; it doubles up to maxEjection with
	// each that follows without a good answer between.
	minEjection = time.Second
	maxEjection = 30 * time.Second
)

// ofOne reports whether it may be one client's request that an upstream fails at.
// That never takes out the last one that is well.
func (f failure) ofOne() bool { return f != unreachable }

// failure is what an upstream did that is not an answer of its service. The words
// follow "is well: 2 of 3".
type failure string

const (
	unreachable failure = "cannot be connected to"
	silent      failure = "did not answer in time"
	broken      failure = "broke off or answered what is not HTTP"
	// relayed is an answer as gateways give it when what is behind them does not
	// answer. A service may mean it for one client.
	relayed   failure = "answered 502, 503 or 504"
	notWell   failure = "failed the health check"
	notSecure failure = "may be reached by https only"
)

// member is one upstream of an instance, as this cell sees it.
type member struct {
	text   string
	scheme string
	host   string
	base   string // of its paths, without a slash at the end
	over   http.RoundTripper

	busy      atomic.Int32
	failed    atomic.Int32 // in a row
	ejections atomic.Int32 // in a row
	out       atomic.Int64 // until when it is left out, Unix nanoseconds; 0 is not at all
	sick      atomic.Pointer[failure]
	last      atomic.Pointer[failure]
	probed    atomic.Bool  // a request tries it after a pause
	since     atomic.Int64 // when the state changed, Unix nanoseconds
	checked   atomic.Int64 // when the last health check ended, Unix nanoseconds; 0 is none
}

func newMember(text string, u *url.URL, over http.RoundTripper, now time.Time) *member {
	m := &member{text: text, scheme: u.Scheme, host: u.Host, base: strings.TrimSuffix(u.Path, "/"), over: over}
	m.since.Store(now.UnixNano())
	return m
}

// well reports whether a request may go there.
func (m *member) well(now time.Time) bool {
	if m.sick.Load() != nil {
		return false
	}
	out := m.out.Load()
	return out == 0 || now.UnixNano() >= out && !m.probed.Load()
}

// proven reports whether nothing is held against it.
func (m *member) proven() bool { return m.sick.Load() == nil && m.out.Load() == 0 }

// claim is for who would go there: after a pause one tries it for all.
func (m *member) claim() (ok, probe bool) {
	if m.out.Load() == 0 {
		return true, false
	}
	ok = m.probed.CompareAndSwap(false, true)
	return ok, ok
}

// state is why an upstream is left out, and for how long at least.
func (m *member) state(now time.Time) (why string, back time.Duration) {
	if sick := m.sick.Load(); sick != nil {
		return string(*sick), minEjection
	}
	if last := m.last.Load(); last != nil {
		return string(*last), max(0, time.Duration(m.out.Load()-now.UnixNano()))
	}
	return "cannot be used", minEjection
}

// succeeded is called for each answer that is the service's own.
func (m *member) succeeded(now func() time.Time) {
	if m.failed.Load() == 0 && m.ejections.Load() == 0 {
		return
	}
	m.failed.Store(0)
	m.ejections.Store(0)
	if m.out.Swap(0) != 0 {
		m.since.Store(now().UnixNano())
	}
}

// fail counts a failure and reports whether it took the upstream out. While it is out
// only the request that tries it counts: it lengthens the pause, or ends it where the
// upstream is to be kept.
func (m *member) fail(why failure, now time.Time, keep, probe bool) bool {
	m.last.Store(&why)
	n, was := m.failed.Add(1), m.out.Load()
	switch {
	case was != 0 && !probe, was == 0 && n < tolerated:
		return false
	case keep:
		m.ejections.Store(0)
		if m.out.Swap(0) != 0 {
			m.since.Store(now.UnixNano())
		}
		return false
	}
	pause := minEjection << min(m.ejections.Load(), 5)
	if !m.out.CompareAndSwap(was, now.Add(min(pause, maxEjection)).UnixNano()) {
		return false
	}
	m.ejections.Add(1)
	m.since.Store(now.UnixNano())
	return true
}

func (m *member) sicken(why failure, now time.Time) {
	if m.sick.Swap(&why) == nil {
		m.since.Store(now.UnixNano())
	}
}

// heal ends what a check found, and what requests did: it just answered.
func (m *member) heal(now time.Time) {
	if m.sick.Swap(nil) == nil {
		return
	}
	m.failed.Store(0)
	m.ejections.Store(0)
	m.out.Store(0)
	m.since.Store(now.UnixNano())
}
