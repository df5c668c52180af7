package ratelimit

import (
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// The two implementations of a token bucket are one: same answers as
// rate.Limiter at the same instants.
func TestSteadyAgreesWithRateLimiter(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		b := Budget{Tokens: 1 + rng.IntN(20), Per: time.Duration(1+rng.IntN(60)) * time.Second, Burst: 1 + rng.IntN(30)}
		b.Per = b.Per / time.Duration(b.Tokens) * time.Duration(b.Tokens) // no rounding
		s, r := newSteady(b), rate.NewLimiter(rate.Every(b.every()), b.burst())
		var state bucket
		start := time.Unix(0, 0)
		var now int64
		for range 500 {
			now += rng.Int64N(2 * s.every)
			at := start.Add(time.Duration(now))
			ours, theirs := s.wait(state, now) == 0, r.AllowN(at, 1)
			if tokens := r.TokensAt(at); ours != theirs && (tokens < 0.999999 || tokens > 1.000001) && !theirs {
				t.Fatalf("%s: we say %v, rate says %v with %f tokens", b, ours, theirs, tokens)
			} else if ours != theirs {
				state = s.take(state, now) // a rounding apart; go on together
				continue
			}
			if ours {
				state = s.take(state, now)
			}
		}
	}
}

// A token given back never leaves more than if it had never been taken, and
// less only by what came back in the time that it was gone.
func TestSteadyGive(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	s := newSteady(Budget{Tokens: 10, Per: 10 * time.Second, Burst: 5})
	for range 5000 {
		type taking struct {
			at   int64
			kept bool
		}
		var takings []taking
		var state bucket
		var now, gone int64
		for range 12 {
			now += rng.Int64N(s.every)
			if s.wait(state, now) == 0 {
				state = s.take(state, now)
				takings = append(takings, taking{now, true})
			}
			if i := rng.IntN(12); i < len(takings) && takings[i].kept {
				takings[i].kept = false
				gone += min(s.every, now-takings[i].at)
				state = s.give(state, takings[i].at, now)
			}
		}
		var want bucket
		for _, tk := range takings {
			if tk.kept {
				want = s.take(want, tk.at)
			}
		}
		got, ideal := max(state.at, now), max(want.at, now)
		if got < ideal || got > ideal+gone {
			t.Fatalf("full at %d, want %d to %d", got, ideal, ideal+gone)
		}
	}
}

// Never more than limit in any window; never a refusal while the last window
// and a seventh hold fewer.
func TestStrictHoldsInEveryWindow(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, b := range []Budget{
		{Tokens: 10, Per: 10 * time.Minute}, {Tokens: 60, Per: time.Hour},
		{Tokens: 1, Per: time.Second}, {Tokens: 255, Per: time.Minute},
	} {
		s := newStrict(b)
		for range 20 {
			var state bucket
			var now int64
			var taken []int64
			pace := 1 + rng.Int64N(2*int64(b.Per)/int64(b.Tokens))
			for range 1000 {
				now += rng.Int64N(pace)
				if rng.IntN(50) == 0 {
					now += rng.Int64N(2 * int64(b.Per))
				}
				within := func(d int64) (n int) {
					for _, at := range taken {
						if now-at < d {
							n++
						}
					}
					return n
				}
				allowed := s.wait(state, now) == 0
				if allowed && within(int64(b.Per)) >= s.limit {
					t.Fatalf("%s: one more than allowed in a window", b)
				}
				if !allowed && within(s.slot*slots) < s.limit {
					t.Fatalf("%s: refused with only %d of %d used", b, within(s.slot*slots), s.limit)
				}
				if allowed {
					state = s.take(state, now)
					taken = append(taken, now)
				}
				if full := s.fullAt(state); total(s.advance(state, full).n) != 0 || full > now && total(s.advance(state, full-1).n) == 0 {
					t.Fatalf("%s: fullAt is wrong", b)
				}
				if len(taken) > 2000 {
					taken = taken[1000:]
				}
			}
		}
	}
}

func TestStrictGive(t *testing.T) {
	s := newStrict(Budget{Tokens: 3, Per: 7 * time.Second})
	var b bucket
	for _, at := range []int64{0, 1, 2} {
		b = s.take(b, at*int64(time.Second))
	}
	now := int64(3 * time.Second)
	if s.wait(b, now) == 0 {
		t.Fatal("three are not all")
	}
	b = s.give(b, int64(time.Second), now)
	if s.used(b, now) != 2 || s.wait(b, now) != 0 {
		t.Error("the token did not come back")
	}
	if got := s.give(b, int64(time.Second), now); s.used(got, now) != 2 {
		t.Error("a token that is not there came back")
	}
	if got := s.give(b, 0, int64(20*time.Second)); s.used(got, int64(20*time.Second)) != 0 {
		t.Error("forgotten slots count")
	}
}
