package appflow

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// State is what the last poll met.
type State string

// The states of a request that is still open.
const (
	Pending     State = "authorization_pending" // nobody has answered
	SlowedDown  State = "slow_down"             // the server wants a longer interval
	Throttled   State = "throttled"             // too many requests from here
	Unreachable State = "unreachable"           // no answer, or one that says later
)

// Progress is how the waiting goes.
type Progress struct {
	Polls int // so far
	State State
	Next  time.Time // of the next poll
	Err   error     // why, if Throttled or Unreachable
}

// ErrExpired is a request that nobody granted in time.
var ErrExpired = errors.New("the codes have expired")

// slowDown is what one slow_down adds to the interval, for good (RFC 8628 §3.5).
const slowDown = 5 * time.Second

// lastMoment is how long before the end the last poll goes out, so that a grant
// late in the last interval is not lost.
const lastMoment = 5 * time.Second

// Await polls until somebody grants or denies the request, or it expires. It
// reports each poll that decides nothing. A poll under way is never broken off,
// neither by ctx: its answer may hold the only token.
//
// Errors: ErrExpired; a *Refusal (access_denied, and whatever else ends the
// flow); ctx's error.
func (c *Client) Await(ctx context.Context, r Request, report func(Progress)) (Tokens, error) {
	form := url.Values{"grant_type": {grantDevice}, "client_id": {c.ID}, "device_code": {r.DeviceCode.Reveal()}}
	last := r.Expires().Add(-min(lastMoment, r.ExpiresIn/10))
	p := pace{interval: r.Interval}
	delay := r.Interval
	for polls := 1; ; polls++ {
		if wait(ctx, min(delay, time.Until(last))) != nil {
			return Tokens{}, ctx.Err()
		}
		final := !time.Now().Before(last)
		tokens, err := c.exchange(context.WithoutCancel(ctx), form)
		if err == nil {
			return tokens, nil
		}
		state, goOn := classify(err)
		switch {
		case RefusedAs(err, "expired_token"):
			return Tokens{}, errors.Join(ErrExpired, err)
		case !goOn:
			return Tokens{}, err
		case final:
			return Tokens{}, ErrExpired
		}
		delay = p.after(state, err)
		next := time.Now().Add(delay)
		if next.After(last) {
			next = last
		}
		report(Progress{Polls: polls, State: state, Next: next, Err: err})
	}
}

// classify tells a request that is still open from one that has ended.
func classify(err error) (state State, goOn bool) {
	var r *Refusal
	switch {
	case RefusedAs(err, "authorization_pending"):
		return Pending, true
	case RefusedAs(err, "slow_down"):
		return SlowedDown, true
	case !temporary(err):
		return "", false
	case errors.As(err, &r) && r.Status == http.StatusTooManyRequests:
		return Throttled, true
	}
	return Unreachable, true
}

// pace is the rhythm of the polls.
type pace struct {
	interval time.Duration
	failures int // in a row
}

func (p *pace) after(state State, err error) time.Duration {
	switch state {
	case SlowedDown:
		p.interval += slowDown
		p.failures = 0
	case Pending:
		p.failures = 0
	default:
		p.failures++
	}
	return backOff(p.interval, p.failures, err)
}

// backOff doubles the interval with each failure in a row (RFC 8628 §3.5),
// unless the server said when to come back.
func backOff(interval time.Duration, failures int, err error) time.Duration {
	var r *Refusal
	if errors.As(err, &r) && r.RetryAfter > 0 {
		return max(interval, r.RetryAfter)
	}
	return min(interval<<min(failures, 10), max(interval, longestWait))
}

// wait waits, and not at all once ctx has ended.
func wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
