package ratelimit

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// Everything at once, on tables that are nearly always full and whose buckets
// come and go: for the race detector, for deadlocks, and for the index.
func TestEverythingAtOnce(t *testing.T) {
	l, clk := newLimiter(t, Config{MaxKeys: shardCount})
	rounds := 1000
	if testing.Short() {
		rounds = 500
	}
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range rounds {
				k := (i*7 + g) % 500
				clk.add(50 * time.Millisecond)
				_ = l.Check(DeviceAuthorization, addr4(k))
				_ = l.Spend(DeviceAuthorization, addr4(k), Client(fmt.Sprint(k%50)), Org(fmt.Sprint(k%5)))
				d := l.Take(Login, addr4(k%70), Account(fmt.Sprint(k)))
				if d.Err() == nil && i%3 > 0 {
					d.Return()
				}
				d = l.Take(UserCode, Account(fmt.Sprint(k)), Org(fmt.Sprint(k%5)))
				if i%2 == 0 {
					d.Return()
				}
			}
		})
	}
	wg.Go(func() {
		for i := range rounds / 50 {
			c := Config{MaxKeys: shardCount << (i % 3), Cells: 1 + i%2}
			if i%4 == 0 {
				c.Limits = Limits{DeviceAuthorization: {PerSource: {}, SiteWide: {}}}
			}
			if err := l.Update(c); err != nil {
				t.Error(err)
			}
			_ = l.Stats()
			time.Sleep(time.Millisecond)
		}
	})
	wg.Wait()
	checkIndex(t, l)
}

// checkIndex fails unless every bucket is found under its own name.
func checkIndex(t *testing.T, l *Limiter) {
	t.Helper()
	for _, lim := range l.limits {
		for _, tab := range lim.tables {
			for i := range tab.shards {
				s := &tab.shards[i]
				if len(s.index) != len(s.entries) {
					t.Fatalf("%s/%s: %d names for %d buckets", lim.name, tab.kind, len(s.index), len(s.entries))
				}
				for j, e := range s.entries {
					if s.index[e.hash] != uint32(j) {
						t.Fatalf("%s/%s: the index is wrong", lim.name, tab.kind)
					}
				}
			}
		}
	}
}

// Of many callers exactly as many pass as there are tokens.
func TestExactUnderConcurrency(t *testing.T) {
	eachBucket(t, func(t *testing.T, s shape, b bucketShape) {
		l, _ := newLimiter(t, Config{})
		l.only(s.name, b.kind, Budget{Tokens: 50, Per: time.Hour})
		var passed [8]int
		var wg sync.WaitGroup
		for g := range passed {
			wg.Go(func() {
				for range 30 {
					if l.Spend(s.name, keysOf(s.name)...) == nil {
						passed[g]++
					}
				}
			})
		}
		wg.Wait()
		sum := 0
		for _, n := range passed {
			sum += n
		}
		if sum != 50 {
			t.Errorf("%d passed, want 50", sum)
		}
	})
}
