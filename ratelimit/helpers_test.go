package ratelimit

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"causeway/internal/problem"
)

// clock is a clock that only moves when told to.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newLimiter(t testing.TB, c Config) (*Limiter, *clock) {
	t.Helper()
	clk := newClock()
	c.Now = clk.now
	l, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return l, clk
}

// only leaves one bucket of one limit switched on, which no valid
// configuration could.
func (l *Limiter) only(name Name, kind Kind, b Budget) {
	lim, now := l.limits[name], l.clock()
	for _, t := range lim.tables {
		t.set(Budget{}, lim.strict, defaultMaxKeys, now)
		if t.kind == kind {
			t.set(b, lim.strict, defaultMaxKeys, now)
		}
	}
	if lim.site == nil {
		return
	}
	lim.site.set(Budget{}, l.instant(now))
	if kind == SiteWide {
		lim.site.set(b, l.instant(now))
	}
}

func addr(s string) Key { return Source(netip.MustParseAddr(s)) }

// addr4 makes distinct IPv4 sources in distinct networks.
func addr4(i int) Key {
	return Source(netip.AddrFrom4([4]byte{byte(i>>16) + 1, byte(i >> 8), byte(i), 1}))
}

// keysOf returns a key for every part that name counts.
func keysOf(name Name) (keys []Key) {
	for _, s := range shapes {
		if s.name != name {
			continue
		}
		for p, k := range map[parts]Key{
			partSource: addr("192.0.2.1"), partClient: Client("app"), partRequest: Request("one"),
			partAccount: Account("ada"), partOrg: Org("acme"), partPeer: Peer("east"),
		} {
			if (s.needs|s.may)&p != 0 {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// spends calls Spend until it is refused and returns how often it was not.
func spends(l *Limiter, name Name, keys ...Key) int {
	for n := range 100_000 {
		if l.Spend(name, keys...) != nil {
			return n
		}
	}
	return -1
}

func wantAllowed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
}

// wantRefused returns RetryAfter.
func wantRefused(t *testing.T, err error, kind Kind) time.Duration {
	t.Helper()
	p := problem.As(err)
	if p == nil || p.Code != problem.TooManyRequests || p.RetryAfter <= 0 {
		t.Fatalf("got %v, want too_many_requests with a time", err)
	}
	var r Refusal
	if !errors.As(err, &r) || r.Kind != kind {
		t.Fatalf("refused by %v, want bucket %s", p.Err, kind)
	}
	return p.RetryAfter
}

func eachBucket(t *testing.T, f func(t *testing.T, s shape, b bucketShape)) {
	for _, s := range shapes {
		for _, b := range s.buckets {
			t.Run(fmt.Sprintf("%s/%s", s.name, b.kind), func(t *testing.T) { f(t, s, b) })
		}
	}
}
