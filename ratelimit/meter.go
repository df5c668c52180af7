package ratelimit

// bucket is the whole state of one key, by value. What it means is its meter's
// business, but the zero bucket is always a full one. Times are nanoseconds
// since the limiter was made, by the monotonic clock: a stepped wall clock
// neither locks anybody out nor hands out tokens.
type bucket struct {
	at int64
	n  uint64
}

// meter counts tokens in a bucket. now may be a little behind an earlier one,
// when two calls raced for a lock; it then counts as no time passed.
type meter interface {
	// wait is how long until a token is there; 0 is now.
	wait(b bucket, now int64) int64
	// take removes a token that wait says is there.
	take(b bucket, now int64) bucket
	// give undoes the take of the instant taken, as far as that is sure not to
	// leave more than if it had never happened.
	give(b bucket, taken, now int64) bucket
	// fullAt is from when on b is full, says nothing and can be forgotten.
	fullAt(b bucket) int64
	// used is how many tokens are not there, rounded up.
	used(b bucket, now int64) int
	// adopt turns a bucket that was kept by old into one of this meter.
	adopt(old meter, b bucket, now int64) bucket
	// size is how many tokens a full bucket holds; span is how long an empty
	// one takes to fill.
	size() int
	span() int64
}

func newMeter(b Budget, exact bool) meter {
	switch {
	case b.off():
		return nil
	case exact:
		return newStrict(b)
	}
	return newSteady(b)
}

// spillKeys is how many keys' worth of tokens the shared bucket of a full table
// holds. Enough that newcomers still get through, and with the defaults a
// fraction of the site-wide budget, so that those who have buckets keep most.
const spillKeys = 64

// newSpill is the meter of that shared bucket. Strict limits make no exception:
// their keys are authenticated, so a full table means something is wrong.
func newSpill(b Budget, exact bool) meter {
	if b.off() || exact {
		return newMeter(b, exact)
	}
	s := newSteady(b)
	return steady{every: max(1, s.every/spillKeys), burst: s.burst * spillKeys}
}
