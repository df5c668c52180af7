package ratelimit

import (
	"strconv"
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

	// Quota, Window, Remaining and Reset describe the caller's own bucket and
	// no other: what is left of a shared one would tell about others. Quota
	// tokens fill it, which takes Window when it is empty and Reset as it is
	// now. All are zero when that bucket is switched off.
	Quota     int
	Window    time.Duration
	Remaining int
	Reset     time.Duration

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
		Err:        Refusal{d.Name, d.Kind},
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
		c.table.give(c, d.at, now)
	}
	d.charged = 0
}

// tell describes h, the caller's own bucket as it is now.
func (d *Decision) tell(h *hold) {
	own := h.shard.meter
	d.Quota = own.size()
	d.Window = time.Duration(own.span())
	d.Remaining = min(d.Quota, max(0, h.meter.size()-h.meter.used(h.b, d.at)))
	d.Reset = time.Duration(max(0, h.meter.fullAt(h.b)-d.at))
}

// PolicyHeader is the value of RateLimit-Policy, or "" to send none
// (draft-ietf-httpapi-ratelimit-headers-10 §3): quota and window in seconds.
// The draft writes token buckets so that q per w is the sustained rate.
func (d *Decision) PolicyHeader() string {
	if d.Quota == 0 {
		return ""
	}
	b := append(make([]byte, 0, 48), '"')
	b = append(b, d.limit.told...)
	b = strconv.AppendInt(append(b, `";q=`...), int64(d.Quota), 10)
	b = strconv.AppendInt(append(b, ";w="...), seconds(d.Window), 10)
	return string(b)
}

// LimitHeader is the value of RateLimit, or "" to send none (§4 of the draft):
// what remains, and the seconds until all is back. A refused call has nothing
// left, whichever bucket refused it, and the same time as Retry-After.
func (d *Decision) LimitHeader() string {
	if d.Quota == 0 {
		return ""
	}
	left, reset := d.Remaining, d.Reset
	if !d.Allowed {
		left, reset = 0, d.RetryAfter
	}
	b := append(make([]byte, 0, 48), '"')
	b = append(b, d.limit.told...)
	b = strconv.AppendInt(append(b, `";r=`...), int64(left), 10)
	b = strconv.AppendInt(append(b, ";t="...), seconds(reset), 10)
	return string(b)
}
