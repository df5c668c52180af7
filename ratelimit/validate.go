package ratelimit

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Bounds of a Budget. They keep all arithmetic on nanoseconds far from
// overflow, and a bucket that needs a month to fill is a lock-out, not a limit.
const (
	maxTokens = 1_000_000
	maxStrict = 255 // a strict bucket counts each slot in a byte
	minPer    = time.Second
	maxFill   = 31 * 24 * time.Hour
)

// Bounds of the tables.
const (
	defaultMaxKeys = 1 << 16
	maxMaxKeys     = 1 << 22
	maxCells       = 1024
)

// Validate reports every fault of c at once.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("ratelimit: "+format, args...))
	}
	if c.MaxKeys != 0 && (c.MaxKeys < shardCount || c.MaxKeys > maxMaxKeys) {
		fault("MaxKeys is %d; it must be from %d to %d", c.MaxKeys, shardCount, maxMaxKeys)
	}
	if c.Cells < 0 || c.Cells > maxCells {
		fault("Cells is %d; it must be from 0 to %d", c.Cells, maxCells)
	}
	for _, name := range sorted(c.Limits) {
		if !slices.ContainsFunc(shapes, func(s shape) bool { return s.name == name }) {
			fault("there is no limit %q", name)
		}
	}
	all := c.Limits.over(Defaults())
	for _, s := range shapes {
		s.validate(all[s.name], func(format string, args ...any) {
			fault("%s: "+format, append([]any{s.name}, args...)...)
		})
	}
	return errors.Join(faults...)
}

func (s shape) validate(budgets map[Kind]Budget, fault func(string, ...any)) {
	sound := map[Kind]Budget{} // those whose own numbers make sense
	for _, kind := range sorted(budgets) {
		i := slices.IndexFunc(s.buckets, func(b bucketShape) bool { return b.kind == kind })
		if i < 0 {
			fault("it has no bucket %q", kind)
			continue
		}
		b := budgets[kind]
		why := s.buckets[i].refuses(b, s.strict)
		for _, w := range why {
			fault("%s: %s", kind, w)
		}
		if len(why) == 0 && !b.off() {
			sound[kind] = b
		}
	}
	for _, r := range s.ladder {
		small, ok := sound[r.small]
		big, ok2 := sound[r.big]
		if ok && ok2 && !big.outlasts(small, r.times) {
			fault("%s (%s) must be at least %d times %s (%s), or one of the latter empties it for all",
				r.big, big, r.times, r.small, small)
		}
	}
}

// refuses lists what is wrong with b by itself.
func (s bucketShape) refuses(b Budget, strict bool) (why []string) {
	if b.off() {
		if s.must {
			why = append(why, "it cannot be switched off")
		}
		return why
	}
	say := func(format string, args ...any) { why = append(why, fmt.Sprintf(format, args...)) }
	most := maxTokens
	if strict {
		most = maxStrict
	}
	if b.Tokens < 1 || b.Tokens > most {
		say("Tokens is %d; it must be from 1 to %d", b.Tokens, most)
	}
	if b.Per < minPer || b.Per > maxFill {
		say("Per is %s; it must be from %s to %s", b.Per, minPer, maxFill)
	}
	if b.Burst < 0 || b.Burst > most {
		say("Burst is %d; it must be from 0 to %d", b.Burst, most)
	}
	if len(why) > 0 {
		return why // the sums below would only repeat it
	}
	if strict && b.burst() != b.Tokens {
		say("Burst is %d; a strict limit allows Tokens, %d, and nothing else", b.Burst, b.Tokens)
	}
	if time.Duration(b.burst()) > maxFill/b.every() { // multiplied, it could overflow
		say("an empty bucket would need more than %s to fill", maxFill)
	}
	if !s.ceiling.off() && !s.ceiling.outlasts(b, 1) {
		say("%s is looser than %s, which protects against guessing", b, s.ceiling)
	}
	return why
}

// sorted returns the keys of m in order: the same faults read the same each time.
func sorted[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
