package ratelimit

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"causeway/internal/problem"
)

// floodKeys is how many sources an offender makes up: a million in a soak.
func floodKeys() int {
	switch {
	case os.Getenv("CAUSEWAY_SOAK") != "":
		return 1_000_000
	case testing.Short():
		return 9_000
	}
	return 30_000
}

// source6 makes distinct IPv6 /64s, as many as anybody wants.
func source6(i int) Key {
	return Source(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}))
}

func bucketsOf(l *Limiter, name Name, kind Kind) Stat {
	for _, st := range l.Stats() {
		if st.Name == name && st.Kind == kind {
			return st
		}
	}
	return Stat{}
}

// However many keys an offender makes up, and at any pace, a bucket with
// something missing is neither forgotten nor filled, and the table stays small.
func TestOffenderCannotEvictAVictim(t *testing.T) {
	const maxKeys = 4096
	own := Budget{Tokens: 1, Per: time.Second, Burst: 700}
	for _, tt := range []struct {
		name  string
		lasts time.Duration
		full  bool
	}{
		{"at once: all buckets stay in use", 0, true},
		{"slowly: buckets fall idle and give way", 10 * time.Minute, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, clk := newLimiter(t, Config{})
			l.only(DeviceAuthorization, PerSource, own)
			l.limits[DeviceAuthorization].tables[0].set(own, false, maxKeys, 0)
			stat := func() Stat { return bucketsOf(l, DeviceAuthorization, PerSource) }
			var victims []Key
			for i := range 8 {
				victims = append(victims, addr4(i))
				_ = spends(l, DeviceAuthorization, victims[i], Client("app"))
			}
			for i := range floodKeys() {
				_ = l.Spend(DeviceAuthorization, source6(i), Client("x"))
				clk.add(tt.lasts / time.Duration(floodKeys()))
			}
			regained := int(l.clock() / int64(time.Second)) // a token a second
			for i, v := range victims {
				if n := spends(l, DeviceAuthorization, v, Client("app")); n != regained {
					t.Errorf("victim %d has %d tokens, want %d", i, n, regained)
				}
			}
			if st := stat(); st.Keys > maxKeys || st.Keys < len(victims) || st.Overflowed > 0 != tt.full {
				t.Errorf("the table: %+v", st)
			}
			checkIndex(t, l)
			// When the flood is over, everybody gets a bucket of their own.
			clk.add(time.Hour)
			over := stat().Overflowed
			for i := range 2000 {
				wantAllowed(t, l.Spend(DeviceAuthorization, source6(1<<30+i), Client("x")))
			}
			if n := stat().Overflowed - over; n > 0 {
				t.Errorf("%d newcomers shared a bucket although idle ones could go", n)
			}
		})
	}
}

// A full table of live buckets: newcomers share one bucket, with the worth of
// spillKeys; those who have their own do not notice.
func TestFullTable(t *testing.T) {
	l, clk := newLimiter(t, Config{MaxKeys: shardCount})
	l.only(TokenFailure, PerSource, Budget{})
	own := Budget{Tokens: 2, Per: time.Hour, Burst: 2}
	l.limits[TokenFailure].tables[0].set(own, false, shardCount, l.clock())
	// Until all shards are full, a source is stored or shares.
	var stored []Key
	for i := 0; len(stored) < shardCount; i++ {
		before := bucketsOf(l, TokenFailure, PerSource).Overflowed
		wantAllowed(t, l.Spend(TokenFailure, source6(i)))
		if bucketsOf(l, TokenFailure, PerSource).Overflowed == before {
			stored = append(stored, source6(i))
			continue
		}
		clk.add(time.Second) // the shared bucket fills 64 times as fast
		clk.add(own.every() / spillKeys)
		if len(stored) == 0 || i > 10_000 {
			t.Fatal("no bucket is stored")
		}
		for _, k := range stored { // stay live
			_ = l.Spend(TokenFailure, k)
		}
	}
	clk.add(2 * own.every() / spillKeys)
	for _, k := range stored {
		_ = spends(l, TokenFailure, k)
	}
	n := 0
	for i := 1 << 20; l.Spend(TokenFailure, source6(i)) == nil; i++ {
		n++
	}
	if n < 64 || n > 2*64 {
		t.Errorf("newcomers had %d tokens, want %d", n, 2*64)
	}
	wait := problem.As(l.Spend(TokenFailure, source6(7<<20))).RetryAfter
	clk.add(wait - time.Millisecond)
	wantRefused(t, l.Check(TokenFailure, source6(7<<20)), PerSource)
	clk.add(time.Millisecond)
	wantAllowed(t, l.Spend(TokenFailure, source6(7<<20)))
}

// The shared bucket of a strict limit is strict, and a reload keeps it.
func TestFullTableOfAStrictLimit(t *testing.T) {
	l, clk := newLimiter(t, Config{MaxKeys: shardCount})
	l.limits[UserCode].tables[1].set(Budget{}, true, shardCount, 0)
	passed := 0
	try := func(from, to int) {
		for i := from; i < to; i++ {
			if l.Spend(UserCode, Account(fmt.Sprint(i)), Org("acme")) == nil {
				passed++
			}
		}
	}
	try(0, 5000)
	if passed != shardCount+10 {
		t.Errorf("%d tries, want %d", passed, shardCount+10)
	}
	clk.add(time.Minute)
	if err := l.Update(Config{MaxKeys: shardCount}); err != nil {
		t.Fatal(err)
	}
	l.limits[UserCode].tables[1].set(Budget{}, true, shardCount, 0)
	try(5000, 10_000)
	if passed != shardCount+10 {
		t.Errorf("%d tries after a reload", passed)
	}
}

// With the default limits an address-spraying flood does not even grow the
// tables: the site-wide bucket refuses it, and a refused call leaves no trace.
func TestSprayingFloodLeavesNoTrace(t *testing.T) {
	l, clk := newLimiter(t, Config{})
	for i := range floodKeys() / 3 {
		_ = l.Spend(DeviceAuthorization, source6(i), Client(fmt.Sprint(i)))
		clk.add(100 * time.Microsecond) // ten thousand a second
	}
	seconds := float64(floodKeys()/3) / 10_000
	most := int(200 + 50*seconds + 1)
	for _, st := range l.Stats() {
		if st.Keys > most {
			t.Errorf("%s/%s keeps %d buckets, want at most %d", st.Name, st.Kind, st.Keys, most)
		}
		if st.Overflowed > 0 {
			t.Errorf("%s/%s overflowed", st.Name, st.Kind)
		}
	}
}

// The bound in README.md: 140 bytes a key, also after the keys have changed
// many times over.
func TestBytesPerKey(t *testing.T) {
	maxKeys := 1 << 14
	if os.Getenv("CAUSEWAY_SOAK") != "" {
		maxKeys = defaultMaxKeys
	}
	l, clk := newLimiter(t, Config{})
	l.limits[TokenFailure].tables[1].set(Budget{}, false, maxKeys, 0)
	l.limits[TokenFailure].tables[0].set(Budget{Tokens: 1, Per: time.Second}, false, maxKeys, 0)
	before := heap()
	n := 0
	for round := range 2 {
		for i := range maxKeys {
			_ = l.Spend(TokenFailure, source6(round<<24+i))
		}
		n = bucketsOf(l, TokenFailure, PerSource).Keys
		bytes := float64(heap()-before) / float64(n)
		t.Logf("round %d: %d keys, %.0f bytes each", round, n, bytes)
		if bytes > 140 {
			t.Errorf("%.0f bytes a key, want at most 140", bytes)
		}
		clk.add(2 * time.Second)
	}
	if n > maxKeys || n < maxKeys*9/10 {
		t.Errorf("%d keys kept", n)
	}
	runtime.KeepAlive(l)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
