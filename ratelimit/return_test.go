package ratelimit

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Right passwords do not count, however many; wrong ones do.
func TestReturnedTriesDoNotCount(t *testing.T) {
	for _, name := range []Name{Login, UserCode} {
		l, clk := newLimiter(t, Config{})
		keys := keysOf(name)
		for range 1000 {
			d := l.Take(name, keys...)
			wantAllowed(t, d.Err())
			clk.add(200 * time.Millisecond)
			d.Return()
			d.Return() // once is enough
		}
		d := l.Take(name, keys...)
		if d.Remaining != d.Quota-1 {
			t.Errorf("%s: %d of %d left after right tries only", name, d.Remaining, d.Quota)
		}
	}
}

func TestReturnTwiceGivesOnce(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	keys := keysOf(Login)
	first := l.Take(Login, keys...)
	for range 5 {
		wantAllowed(t, l.Spend(Login, keys...))
	}
	first.Return()
	first.Return()
	d := l.Take(Login, keys...)
	if want := d.Quota - 6; d.Remaining != want {
		t.Errorf("%d left, want %d", d.Remaining, want)
	}
	var none Decision
	none.Return()
	refused := Decision{Name: Login, limiter: l}
	refused.Return()
}

// A thousand guesses at the same moment are no more than twenty.
func TestGuessesInParallel(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	var in atomic.Int64
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for range 300 {
		wg.Go(func() {
			d := l.Take(Login, keysOf(Login)...)
			<-gate // nobody has verified anything yet
			if d.Err() == nil {
				in.Add(1)
			}
		})
	}
	close(gate)
	wg.Wait()
	if in.Load() != 20 {
		t.Errorf("%d guesses went in, want 20", in.Load())
	}
}

// A bucket that is full again because its token was returned can give way at
// once, although the table has just been found full.
func TestReturnMakesRoom(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	l.only(TokenFailure, PerSource, Budget{Tokens: 1, Per: time.Hour, Burst: 10})
	l.limits[TokenFailure].tables[0].set(Budget{Tokens: 1, Per: time.Hour, Burst: 10}, false, shardCount, 0)
	var tries []Decision
	for i := range 1000 { // far more than fit
		d := l.Take(TokenFailure, source6(i))
		wantAllowed(t, d.Err())
		tries = append(tries, d)
		if bucketsOf(l, TokenFailure, PerSource).Overflowed > 400 {
			break
		}
	}
	for i := range tries {
		tries[i].Return()
	}
	over := bucketsOf(l, TokenFailure, PerSource).Overflowed
	if over <= 400 {
		t.Fatal("the table was never full")
	}
	wantAllowed(t, l.Spend(TokenFailure, source6(5000)))
	if bucketsOf(l, TokenFailure, PerSource).Overflowed != over {
		t.Error("a newcomer shared a bucket although idle ones could go")
	}
	// The shared bucket has its tokens back, too.
	if s := &l.limits[TokenFailure].tables[0].spill; s.meter.used(s.b, l.clock()) != 0 {
		t.Error("tokens of the shared bucket were lost")
	}
}
