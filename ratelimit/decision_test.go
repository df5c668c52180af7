package ratelimit

import (
	"fmt"
	"testing"
	"time"

	"causeway/internal/problem"
)

func TestHeaders(t *testing.T) {
	l, clk := newLimiter(t, Config{})
	take := func() Decision { return l.Take(DeviceAuthorization, addr("192.0.2.1"), Client("app"), Org("acme")) }
	for i, tt := range []struct {
		wait          time.Duration
		policy, limit string
	}{
		{0, `"source";q=20;w=120`, `"source";r=19;t=6`},
		{0, `"source";q=20;w=120`, `"source";r=18;t=12`},
		{500 * time.Millisecond, `"source";q=20;w=120`, `"source";r=17;t=18`},
		{0, `"source";q=20;w=120`, `"source";r=16;t=24`},
		{0, `"source";q=20;w=120`, `"source";r=15;t=30`},
		{0, `"source";q=20;w=120`, `"source";r=14;t=36`},
		// Refused by another bucket: nothing is left to this caller, and the
		// time is that of Retry-After.
		{0, `"source";q=20;w=120`, `"source";r=0;t=10`},
	} {
		clk.add(tt.wait)
		d := take()
		if got := d.PolicyHeader(); got != tt.policy {
			t.Errorf("call %d: RateLimit-Policy: %s, want %s", i, got, tt.policy)
		}
		if got := d.LimitHeader(); got != tt.limit {
			t.Errorf("call %d: RateLimit: %s, want %s", i, got, tt.limit)
		}
		if p := problem.As(d.Err()); p != nil && p.RetryAfter != d.RetryAfter {
			t.Errorf("Problem says %s, Decision %s", p.RetryAfter, d.RetryAfter)
		}
	}
}

// What others did to a shared bucket cannot be read from the headers.
func TestHeadersSpeakOfTheCallerOnly(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	ask := func() string {
		d := l.decide(Login, []Key{addr("192.0.2.1"), Account("ada")}, false)
		return d.PolicyHeader() + d.LimitHeader()
	}
	quiet := ask()
	for i := range 100 {
		_ = l.Spend(Login, addr4(i), Account("ada"))
		_ = l.Spend(Login, addr("192.0.2.9"), Account(fmt.Sprint(i)))
	}
	if got := ask(); got != quiet {
		t.Errorf("before others called: %s, after: %s", quiet, got)
	}
}

func TestNoHeadersForABucketThatIsOff(t *testing.T) {
	l, _ := newLimiter(t, Config{Limits: Limits{Login: {PerSource: {}}}})
	for _, d := range []Decision{l.Take(Login, keysOf(Login)...), l.Take("sundry")} {
		if d.PolicyHeader() != "" || d.LimitHeader() != "" {
			t.Errorf("%s %s", d.PolicyHeader(), d.LimitHeader())
		}
	}
}

func TestStats(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	var want int
	for _, s := range shapes {
		want += len(s.buckets)
	}
	first := l.Stats()
	if len(first) != want {
		t.Errorf("%d kinds, want %d", len(first), want)
	}
	for _, st := range first {
		if st != (Stat{Name: st.Name, Kind: st.Kind}) {
			t.Errorf("%+v is not at zero", st)
		}
	}
	for range 9 {
		_ = l.Spend(DeviceAuthorization, keysOf(DeviceAuthorization)...)
	}
	_ = l.Check(DeviceAuthorization, addr("192.0.2.1"), Client("app"))
	got := map[Kind]Stat{}
	for i, st := range l.Stats() {
		if st.Name != first[i].Name || st.Kind != first[i].Kind {
			t.Fatal("the order has changed")
		}
		if st.Name == DeviceAuthorization {
			got[st.Kind] = st
		} else if st != first[i] {
			t.Errorf("%+v counted another limit's calls", st)
		}
	}
	for kind, st := range got {
		refused, keys := uint64(0), 1
		if kind == PerClientAtSource {
			refused = 4
		}
		if kind == SiteWide {
			keys = 0
		}
		if st.Allowed != 6 || st.Refused != refused || st.Keys != keys {
			t.Errorf("%+v, want 6 allowed, %d refused, %d keys", st, refused, keys)
		}
	}
}
