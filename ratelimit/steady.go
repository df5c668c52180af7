package ratelimit

// steady is a token bucket in the form of GCRA (ITU-T I.371): bucket.at is the
// instant when the bucket will be full again. Eight bytes say everything a
// rate.Limiter says in sixty-four, and "is it idle?" is one comparison.
type steady struct {
	every int64 // nanoseconds to regain a token
	burst int64
}

func newSteady(b Budget) steady { return steady{every: int64(b.every()), burst: int64(b.burst())} }

func (s steady) wait(b bucket, now int64) int64 {
	return max(0, max(b.at, now)+s.every-s.span()-now)
}

func (s steady) take(b bucket, now int64) bucket {
	return bucket{at: max(b.at, now) + s.every}
}

// give returns what the token has not regained by itself since it was taken.
// More would be too much: had the bucket been full in the meantime but for this
// token, that time was lost to it, and the state does not tell.
func (s steady) give(b bucket, taken, now int64) bucket {
	return bucket{at: b.at - max(0, s.every-max(0, now-taken))}
}

func (s steady) fullAt(b bucket) int64 { return b.at }

func (s steady) used(b bucket, now int64) int {
	return int((max(0, b.at-now) + s.every - 1) / s.every)
}

// adopt keeps the number of tokens used: who has had 7 of 10 has 13 of 20 left.
func (s steady) adopt(old meter, b bucket, now int64) bucket {
	used := min(int64(old.used(b, now)), s.burst)
	if used == 0 {
		return bucket{}
	}
	return bucket{at: now + used*s.every}
}

func (s steady) size() int   { return int(s.burst) }
func (s steady) span() int64 { return s.burst * s.every }
