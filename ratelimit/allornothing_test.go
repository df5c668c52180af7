package ratelimit

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"
)

// snapshot is the state of every bucket of a limit, by kind.
func (l *Limiter) snapshot(name Name) map[Kind]any {
	lim, now := l.limits[name], l.clock()
	all := map[Kind]any{}
	for _, t := range lim.tables {
		state := map[uint64]int{}
		for i := range t.shards {
			for _, e := range t.shards[i].entries {
				if t.shards[i].meter.fullAt(e.b) > now {
					state[e.hash] = t.shards[i].meter.used(e.b, now)
				}
			}
		}
		all[t.kind] = state
	}
	if lim.site != nil && lim.site.lim != nil {
		all[SiteWide] = fmt.Sprintf("%.6f", lim.site.lim.TokensAt(l.instant(now)))
	}
	return all
}

// crowd sets limits so small that each kind refuses now and then, which no
// valid configuration would.
func (l *Limiter) crowd() {
	lim := l.limits[DeviceAuthorization]
	small := map[Kind]int{PerSource: 8, PerNetwork: 16, PerClientAtSource: 4, PerClient: 14, PerOrg: 10}
	for _, t := range lim.tables {
		n := small[t.kind]
		t.set(Budget{Tokens: n, Per: 20 * time.Second, Burst: n/2 + 1}, false, defaultMaxKeys, 0)
	}
	lim.site.set(Budget{Tokens: 35, Per: 20 * time.Second, Burst: 12}, l.instant(0))
}

// Over random calls: a refused call and a Check leave every bucket as it was,
// an allowed one takes exactly one token from each bucket it names.
func TestAllOrNothing(t *testing.T) {
	l, clk := newLimiter(t, Config{})
	l.crowd()
	rng := rand.New(rand.NewPCG(1, 2))
	refused := map[Kind]int{}
	for i := range 600 {
		clk.add(time.Duration(rng.Int64N(int64(500 * time.Millisecond))))
		hot := func() int { return i * rng.IntN(2) } // the same one, or a new one
		keys := []Key{addr4(hot()), Client(fmt.Sprint(hot())), Org(fmt.Sprint(hot()))}
		if rng.IntN(2) == 0 {
			keys[0] = addr(fmt.Sprintf("10.0.0.%d", i%256))
		}
		before, counted := l.snapshot(DeviceAuthorization), l.Stats()
		d := l.decide(DeviceAuthorization, keys, rng.IntN(4) > 0)
		after := l.snapshot(DeviceAuthorization)
		if d.charged == 0 {
			refused[d.Kind]++
			if !reflect.DeepEqual(before, after) {
				t.Fatalf("a call refused by %q took something:\n%v\n%v", d.Kind, before, after)
			}
			continue
		}
		for i, st := range l.Stats() {
			if st.Name == DeviceAuthorization && st.Allowed != counted[i].Allowed+1 {
				t.Fatalf("%s: an allowed call took %d tokens", st.Kind, st.Allowed-counted[i].Allowed)
			}
		}
		if reflect.DeepEqual(before, after) {
			t.Fatal("an allowed call took nothing")
		}
	}
	for _, kind := range []Kind{PerSource, PerNetwork, PerClientAtSource, PerClient, PerOrg, SiteWide} {
		if refused[kind] == 0 {
			t.Errorf("%s never refused: the test does not reach it (%v)", kind, refused)
		}
	}
}

// Also when calls race: tokens gone from the wide buckets equal calls allowed.
func TestAllOrNothingUnderConcurrency(t *testing.T) {
	l, _ := newLimiter(t, Config{Limits: Limits{DeviceAuthorization: {
		PerSource: {}, PerNetwork: {}, PerClient: {},
		PerClientAtSource: {Tokens: 5, Per: time.Hour},
		PerOrg:            {Tokens: 10_000, Per: time.Hour},
		SiteWide:          {Tokens: 10_000, Per: time.Hour},
	}}})
	var allowed [8]int
	var wg sync.WaitGroup
	for g := range allowed {
		wg.Go(func() {
			for i := range 400 {
				// Every goroutine competes for the same 20 clients.
				if l.Spend(DeviceAuthorization, addr("192.0.2.1"), Client(fmt.Sprint((i+g)%20)), Org("acme")) == nil {
					allowed[g]++
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range allowed {
		sum += n
	}
	if sum != 20*5 {
		t.Errorf("%d calls allowed, want %d", sum, 20*5)
	}
	d := l.Take(DeviceAuthorization, addr("192.0.2.1"), Client("new"), Org("acme"))
	wantAllowed(t, d.Err())
	snap := l.snapshot(DeviceAuthorization)
	for _, used := range snap[PerOrg].(map[uint64]int) {
		if used != sum+1 {
			t.Errorf("the organization lost %d tokens in %d allowed calls", used, sum+1)
		}
	}
	if want := fmt.Sprintf("%.6f", float64(10_000-sum-1)); snap[SiteWide] != want {
		t.Errorf("the site has %s tokens, want %s", snap[SiteWide], want)
	}
}
