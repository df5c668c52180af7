package ratelimit

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Of many requests at the same moment exactly as many pass as the quotas allow,
// and never more at once.
func TestQuotas_R7_ExactUnderRaces(t *testing.T) {
	q, _ := newQuotas(QuotaConfig{})
	own := Quota{Requests: 300, RequestsPer: time.Hour, Concurrent: 3, Bytes: 1 << 40, BytesPer: time.Hour}
	acme := Claim{Key: Org("acme"), Quota: Quota{Requests: 500, RequestsPer: time.Hour, Concurrent: 5}}
	var passed, busiest [2]atomic.Int64
	var underway [2]atomic.Int64
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			who := g % 2
			for range 2000 {
				u, err := q.Begin(of(fmt.Sprint("account", who), own), acme)
				if err != nil {
					continue
				}
				n := underway[who].Add(1)
				for was := busiest[who].Load(); n > was && !busiest[who].CompareAndSwap(was, n); was = busiest[who].Load() {
				}
				passed[who].Add(1)
				u.Count(1)
				underway[who].Add(-1)
				u.Done()
			}
		})
	}
	wg.Wait()
	for who := range passed {
		if n := busiest[who].Load(); n > own.Concurrent {
			t.Errorf("account %d had %d requests at once", who, n)
		}
		if n := passed[who].Load(); n > own.Requests {
			t.Errorf("account %d had %d requests", who, n)
		}
	}
	// Refusals took nothing, so neither is less than it could be.
	if sum := passed[0].Load() + passed[1].Load(); sum != acme.Quota.Requests {
		t.Errorf("the organization had %d requests, want %d", sum, acme.Quota.Requests)
	}
	for i := range q.shards {
		for _, c := range q.shards[i].counters {
			if c.underway != 0 {
				t.Errorf("%v: %d under way after all have ended", c.id, c.underway)
			}
		}
	}
}

// Claims in either order, a table that is nearly always full, transfers and
// ends at once: for the race detector and for deadlocks.
func TestQuotas_EverythingAtOnce(t *testing.T) {
	q, clk := newQuotas(QuotaConfig{MaxKeys: 6 * shardCount})
	quota := Quota{Requests: 5, RequestsPer: time.Second, Concurrent: 2, Bytes: 100, BytesPer: time.Second}
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 2000 {
				clk.add(5 * time.Millisecond)
				a, b := of(fmt.Sprint(i%137), quota), of(fmt.Sprint(i%141), quota)
				if g%2 == 0 {
					a, b = b, a
				}
				u, err := q.Begin(a, b)
				if err != nil {
					continue
				}
				wg.Go(func() { u.Count(7); u.Done() })
				u.Count(3)
			}
		})
	}
	wg.Wait()
	clk.add(time.Hour)
	if st := q.Stats(); st.Keys > 6*shardCount || st.Allowed == 0 || st.Refused == 0 || st.Full == 0 {
		t.Errorf("the test does not reach everything: %+v", st)
	}
	begin(t, q, of("1", quota))
}
