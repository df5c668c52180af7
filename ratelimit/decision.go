package ratelimit

import (
	"time"

	"causeway/internal/problem"
)

// Decision is the answer to one call.
type Decision struct {
	Name    Name
	Allowed bool
	// Kind is the bucket that refused, and RetryAfter how long until the same
	// call would pass if nobody else called meanwhile. Of several empty buckets
	// it is the one that fills last. Both are zero when allowed.
	Kind       Kind
	RetryAfter time.Duration
	// Next is how long, after tokens were taken, until the keys' own buckets let the
	// same call pass again; zero is at once.
	Next time.Duration

	Standing

	limiter *Limiter
	limit   *limit
	at      int64
	charges [maxTables]charge
	charged int
	fault   error
}

// charge is a token taken.
type charge struct {
	table   *table
	hash    uint64
	spilled bool
}

// Refusal is the cause inside a refused call's Problem, for logs: the client is
// not told which bucket it was.
type Refusal struct {
	Name Name
	Kind Kind
	Standing
}

func (r Refusal) Error() string { return "limit " + string(r.Name) + ", bucket " + string(r.Kind) }

// Err is nil if the call may go on, else a *problem.Problem.
func (d *Decision) Err() error {
	switch {
	case d.fault != nil:
		return d.fault
	case d.Allowed:
		return nil
	}
	return &problem.Problem{
		Code:       problem.TooManyRequests,
		Detail:     d.limit.detail,
		RetryAfter: d.RetryAfter,
		Err:        Refusal{d.Name, d.Kind, d.Standing},
	}
}

// Return gives the tokens back: the try was right and must not count. A second
// call does nothing. Site-wide tokens stay spent: they bound the work, and the
// work was done.
func (d *Decision) Return() {
	if d.charged == 0 {
		return
	}
	now := d.limiter.clock()
	for _, c := range d.charges[:d.charged] {
		if m, b := c.table.give(c, d.at, now); m != nil && c.table.kind == d.limit.told {
			d.tell(d.limit.told, m, m, b, now)
		}
	}
	d.charged = 0
}
