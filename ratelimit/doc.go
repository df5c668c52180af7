// Package ratelimit owns the named limits of the gateway: which buckets a limit
// has, how much each holds, and whether a call may go on. Decisions are pure:
// no HTTP, no gin, no I/O, no goroutine, and the clock is passed in.
//
// A call is judged by all buckets of its limit at once (its source, the wider
// network, the account it names, the organization, the site). Either every one
// of them gives a token or none does: a caller who is refused by one bucket
// must not use up what others share.
//
// # Which algorithm, and why not rate.Limiter everywhere
//
// Site-wide buckets are golang.org/x/time/rate limiters: few, and exactly what
// that package is for. Buckets per key are kept by value, because
//   - a *rate.Limiter behind a map costs 136 bytes a key, ours about 60, and a
//     table that strangers can fill should be small;
//   - a bucket may only be forgotten when it is full again, and rate.Limiter
//     does not say when that will be; here it is the state itself (see steady);
//   - rate.Reservation.Cancel returns nothing once its time has come, so a
//     login that turned out right could not give its token back;
//   - a token bucket of ten in ten minutes lets twenty through in eleven. Where
//     the number is a promise about guessing, it must hold in every window (see
//     strict).
//
// The package does not know what a request costs, who is authenticated or which
// proxy is trusted: callers pass the true source. Buckets live in one process;
// Config.Cells divides what belongs to the whole site.
package ratelimit
