package ratelimit

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"causeway/internal/problem"
)

func newQuotas(c QuotaConfig) (*Quotas, *clock) {
	clk := newClock()
	c.Now = clk.now
	return NewQuotas(c), clk
}

func begin(t *testing.T, q *Quotas, claims ...Claim) *Use {
	t.Helper()
	u, err := q.Begin(claims...)
	wantAllowed(t, err)
	return u
}

// of claims for an account with an organization of its own.
func of(id string, q Quota) Claim { return Claim{Key: Account(id), Quota: q, Org: Org(id)} }

// A principal without a quota is not in the table, and its Use does nothing.
func TestQuotas_WithoutQuotaNothingIsKept(t *testing.T) {
	q, _ := newQuotas(QuotaConfig{})
	for _, claims := range [][]Claim{nil, {of("ada", Quota{})}, {of("ada", Quota{RequestsPer: time.Hour}), {Key: Org("acme")}}} {
		u := begin(t, q, claims...)
		u.Count(1 << 40)
		u.Done()
	}
	if st := q.Stats(); st != (QuotaStat{}) {
		t.Errorf("the table knows of it: %+v", st)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = q.Begin(of("ada", Quota{}), Claim{Key: Org("acme")}) }); n != 0 {
		t.Errorf("%v allocations for a principal without quota", n)
	}
}

func TestQuotas_VCD56_RequestsPerWindow(t *testing.T) {
	q, clk := newQuotas(QuotaConfig{})
	quota := Quota{Requests: 3, RequestsPer: time.Minute}
	for range 3 {
		begin(t, q, of("ada", quota)).Done()
		clk.add(time.Second)
	}
	_, err := q.Begin(of("ada", quota))
	wait := wantRefused(t, err, PerAccount)
	begin(t, q, of("bob", quota)) // somebody else
	clk.add(wait - time.Nanosecond)
	if _, err := q.Begin(of("ada", quota)); err == nil {
		t.Error("passed before Retry-After")
	}
	clk.add(time.Nanosecond)
	begin(t, q, of("ada", quota))
}

// However requests are spread, no window has more than the quota, who waits as
// told gets through, and what was used is back a seventh after the window.
func TestQuotas_R7_NoWindowHasMore(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		q, clk := newQuotas(QuotaConfig{})
		quota := Quota{Requests: 1 + rng.Int64N(9), RequestsPer: time.Duration(1+rng.Int64N(100)) * time.Second}
		var passed []time.Time
		for range 300 {
			clk.add(time.Duration(rng.Int64N(int64(quota.RequestsPer) / 4)))
			u, err := q.Begin(of("ada", quota))
			if n := int64(len(passed)); err != nil {
				oldest := passed[n-quota.Requests]
				if clk.now().Sub(oldest) > quota.RequestsPer*8/7+time.Microsecond {
					t.Fatalf("%+v: refused %s after the oldest of the window", quota, clk.now().Sub(oldest))
				}
				if rng.IntN(2) == 0 {
					continue
				}
				clk.add(wantRefused(t, err, PerAccount))
				u = begin(t, q, of("ada", quota))
			}
			u.Done()
			passed = append(passed, clk.now())
			if n := int64(len(passed)); n > quota.Requests && clk.now().Sub(passed[n-1-quota.Requests]) < quota.RequestsPer {
				t.Fatalf("%+v: more in %s", quota, clk.now().Sub(passed[n-1-quota.Requests]))
			}
		}
	}
}

func TestQuotas_VCD56_Concurrent(t *testing.T) {
	q, clk := newQuotas(QuotaConfig{})
	quota := Quota{Concurrent: 2}
	first, _ := begin(t, q, of("ada", quota)), begin(t, q, of("ada", quota))
	clk.add(time.Hour) // time alone frees nothing
	_, err := q.Begin(of("ada", quota))
	if wait := wantRefused(t, err, PerAccount); wait != time.Second {
		t.Errorf("Retry-After %s, though nobody can know", wait)
	}
	first.Done()
	first.Done() // counts once
	begin(t, q, of("ada", quota))
	if _, err := q.Begin(of("ada", quota)); err == nil {
		t.Error("a second Done freed a second place")
	}
}

// Bytes are known when they have passed: the transfer that exceeds the quota is
// not cut, the next request is refused, also while the transfer goes on.
func TestQuotas_VCD56_Bytes(t *testing.T) {
	q, clk := newQuotas(QuotaConfig{})
	quota := Quota{Bytes: 100, BytesPer: time.Hour}
	u := begin(t, q, of("ada", quota))
	u.Count(99)
	u.Count(0)
	u.Count(-50)
	begin(t, q, of("ada", quota)).Done()
	u.Count(1000)
	_, err := q.Begin(of("ada", quota))
	wait := wantRefused(t, err, PerAccount)
	if wait <= time.Hour || wait > time.Hour*8/7+time.Microsecond {
		t.Errorf("Retry-After is %s", wait)
	}
	clk.add(wait)
	begin(t, q, of("ada", quota))
	u.Count(100) // the first transfer is still under way
	if _, err := q.Begin(of("ada", quota)); err == nil {
		t.Error("a transfer that outlasts the window is not counted")
	}
}

// The organization's quota is for the sum of its principals, and a request that
// it refuses is not counted against the principal.
func TestQuotas_VCD56_OrganizationAndPrincipal(t *testing.T) {
	q, clk := newQuotas(QuotaConfig{})
	own := Quota{Requests: 2, RequestsPer: time.Hour, Concurrent: 9}
	acme := Claim{Key: Org("acme"), Quota: Quota{Requests: 3, RequestsPer: time.Minute}}
	for _, id := range []string{"ada", "bob", "eve"} {
		begin(t, q, of(id, own), acme).Done()
	}
	for range 5 {
		_, err := q.Begin(of("ada", own), acme)
		wantRefused(t, err, PerOrg)
	}
	clk.add(2 * time.Minute)
	begin(t, q, of("ada", own), acme).Done()
	_, err := q.Begin(of("ada", own), acme)
	wantRefused(t, err, PerAccount)
	if acme.Key = Org("ada"); true { // an organization of a principal's name is another key
		begin(t, q, acme)
	}
}

// Sessions issued under another window are held to their own policy, and using
// one does not forget what the other has used.
func TestQuotas_VCD89_TwoPoliciesOfOnePrincipal(t *testing.T) {
	q, clk := newQuotas(QuotaConfig{})
	day := Quota{Requests: 2, RequestsPer: 24 * time.Hour, Concurrent: 1}
	second := Quota{Requests: 2, RequestsPer: time.Second, Concurrent: 1}
	for range 2 {
		begin(t, q, of("ada", day)).Done()
		begin(t, q, of("ada", second)).Done()
		clk.add(2 * time.Second)
	}
	_, err := q.Begin(of("ada", day))
	wantRefused(t, err, PerAccount)
	u := begin(t, q, of("ada", second))
	clk.add(48 * time.Hour)
	_, err = q.Begin(of("ada", day)) // what is under way counts for both
	wantRefused(t, err, PerAccount)
	u.Done()
	begin(t, q, of("ada", day))
}

// A full table refuses newcomers for now, whoever has counters keeps them, and
// room comes back by itself.
func TestQuotas_R7_FullTableForgetsNobody(t *testing.T) {
	q, clk := newQuotas(QuotaConfig{MaxKeys: 2 * shardCount})
	quota := Quota{Requests: 1, RequestsPer: time.Hour}
	var in, out []string
	for i := range 1000 {
		id := fmt.Sprint("account", i)
		u, err := q.Begin(of(id, quota))
		switch p := problem.As(err); {
		case err == nil:
			in = append(in, id)
			u.Done()
		case p != nil && p.Code == problem.Unavailable && p.RetryAfter > 0 && p.RetryAfter <= time.Minute:
			out = append(out, id)
		default:
			t.Fatal(err)
		}
	}
	if len(in) != 2*shardCount || q.Stats().Keys != len(in) || q.Stats().Full != uint64(len(out)) {
		t.Fatalf("%d passed, %+v", len(in), q.Stats())
	}
	for _, id := range in {
		_, err := q.Begin(of(id, quota))
		wantRefused(t, err, PerAccount)
	}
	clk.add(90 * time.Minute)
	passed := 0
	for _, id := range out {
		if _, err := q.Begin(of(id, quota)); err == nil {
			passed++
		}
	}
	if passed != 2*shardCount {
		t.Errorf("%d newcomers found room, want %d", passed, 2*shardCount)
	}
}

// One organization, however many accounts it has, fills its part of the table and
// no more: accounts of all others find room.
func TestQuotas_R7_OneOrganizationFillsItsPart(t *testing.T) {
	const places = 16 // in a shard
	q, clk := newQuotas(QuotaConfig{MaxKeys: places * shardCount})
	quota := Quota{Requests: 1, RequestsPer: time.Hour}
	flood := func() (passed []Claim) {
		for i := range 5000 {
			claim := Claim{Key: Account(fmt.Sprint(i)), Quota: quota, Org: Org("acme")}
			u, err := q.Begin(claim)
			if err == nil {
				u.Done()
				passed = append(passed, claim)
			} else if !problem.Has(err, problem.Unavailable) {
				t.Fatal(err)
			}
		}
		return passed
	}
	for range 2 {
		in := flood()
		if len(in) != places/orgParts*shardCount {
			t.Errorf("acme has %d counters", len(in))
		}
		if _, err := q.Begin(Claim{Key: Org("acme"), Quota: quota}); !problem.Has(err, problem.Unavailable) {
			t.Errorf("the organization's own counter is outside its part: %v", err)
		}
		for i := range shardCount {
			begin(t, q, of(fmt.Sprint("other", i), quota)).Done()
		}
		for _, claim := range in {
			_, err := q.Begin(claim)
			wantRefused(t, err, PerAccount)
		}
		clk.add(90 * time.Minute) // its part comes back to it
	}
	for i := range q.shards {
		s, counted := &q.shards[i], 0
		s.sweep(q.clock())
		for _, n := range s.owners {
			counted += int(n)
		}
		if counted != len(s.counters) {
			t.Errorf("%d counters belong to somebody, %d are kept", counted, len(s.counters))
		}
	}
}

// An account whose organization nobody named would be outside every part.
func TestQuotas_R7_WithoutOrganizationNothingPasses(t *testing.T) {
	q, _ := newQuotas(QuotaConfig{})
	for _, org := range []Key{{}, Account("acme")} {
		if _, err := q.Begin(Claim{Key: Account("ada"), Quota: Quota{Concurrent: 1}, Org: org}); !problem.Has(err, problem.Internal) {
			t.Errorf("%+v: %v", org, err)
		}
	}
}

// What is under way is never forgotten, however old; when it ends there is room
// at once, though the last sweep found none.
func TestQuotas_R7_UnderWayIsNeverForgotten(t *testing.T) {
	q, clk := newQuotas(QuotaConfig{MaxKeys: 1})
	quota := Quota{Concurrent: 1}
	first := begin(t, q, of("ada", quota))
	stranger := "0"
	for i := 1; q.shard(q.hash(Account(stranger))) != q.shard(q.hash(Account("ada"))); i++ {
		stranger = fmt.Sprint(i)
	}
	clk.add(1000 * time.Hour)
	if _, err := q.Begin(of(stranger, quota)); !problem.Has(err, problem.Unavailable) {
		t.Fatalf("the place was given away: %v", err)
	}
	_, err := q.Begin(of("ada", quota))
	wantRefused(t, err, PerAccount)
	first.Done()
	begin(t, q, of(stranger, quota))
}

// A claim that finds no room leaves nothing behind that holds a place.
func TestQuotas_R7_RefusalHoldsNothing(t *testing.T) {
	q, _ := newQuotas(QuotaConfig{MaxKeys: 2 * shardCount})
	three := Quota{Requests: 1, RequestsPer: time.Hour, Concurrent: 1, Bytes: 1, BytesPer: time.Hour}
	for range 10 {
		if _, err := q.Begin(of("ada", three)); !problem.Has(err, problem.Unavailable) {
			t.Fatalf("three counters in two places: %v", err)
		}
	}
	two := Quota{Requests: 1, RequestsPer: time.Hour, Bytes: 1, BytesPer: time.Hour}
	begin(t, q, of("ada", two)).Done()
}

// Cells hand out their part and together no more than there is.
func TestQuotas_CellsShare(t *testing.T) {
	quota := Quota{Requests: 10, RequestsPer: time.Hour, Concurrent: 1, Bytes: 30, BytesPer: time.Hour}
	passed := 0
	for range 3 {
		q, _ := newQuotas(QuotaConfig{Cells: 3})
		for {
			u, err := q.Begin(of("ada", quota))
			if err != nil {
				break
			}
			u.Count(3)
			u.Done()
			passed++
		}
		u, err := q.Begin(of("bob", quota)) // at least one, or it would be none
		wantAllowed(t, err)
		u.Count(10)
		u.Done()
		if _, err = q.Begin(of("bob", quota)); err == nil {
			t.Error("a cell gave more bytes than its part")
		}
	}
	if passed != 9 {
		t.Errorf("%d requests, want 9", passed)
	}
}

// A quota without a period cannot be counted and must not let through.
func TestQuotas_WithoutPeriodNothingPasses(t *testing.T) {
	q, _ := newQuotas(QuotaConfig{})
	for _, quota := range []Quota{{Requests: 1}, {Bytes: 1}, {Concurrent: 1, Bytes: 1, BytesPer: -1}} {
		if _, err := q.Begin(of("ada", quota)); !problem.Has(err, problem.Internal) {
			t.Errorf("%+v: %v", quota, err)
		}
	}
	begin(t, q, of("ada", Quota{Concurrent: 1}))
}

func TestQuotas_Memory(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a table")
	}
	q, _ := newQuotas(QuotaConfig{})
	memory := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := memory()
	for i := range 2 * defaultMaxCounters {
		u, _ := q.Begin(of(fmt.Sprint(i), Quota{Requests: 1, RequestsPer: time.Hour}))
		u.Done()
	}
	st, used := q.Stats(), memory()-before
	if st.Keys > defaultMaxCounters || used > 32<<20 {
		t.Errorf("%d counters take %d bytes", st.Keys, used)
	}
	t.Logf("%d counters, %d bytes each", st.Keys, used/uint64(st.Keys))
	runtime.KeepAlive(q)
}
