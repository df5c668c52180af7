package ratelimit

import (
	"strconv"
	"time"
)

// Standing describes the caller's own bucket and no other: what is left of a
// shared one would tell about others. Quota tokens fill it, which takes Window
// when it is empty and Reset as it is now. The zero Standing says nothing: the
// bucket is switched off.
type Standing struct {
	Quota     int
	Window    time.Duration
	Remaining int
	Reset     time.Duration

	kind Kind
}

// tell describes a bucket of a key's own size as it is at now; m keeps it, and may
// be that of the bucket which newcomers to a full table share.
func (s *Standing) tell(kind Kind, own, m meter, b bucket, now int64) {
	*s = Standing{
		kind: kind, Quota: own.size(), Window: time.Duration(own.span()),
		Remaining: min(own.size(), max(0, m.size()-m.used(b, now))),
		Reset:     time.Duration(max(0, m.fullAt(b)-now)),
	}
}

// refused is the standing of a call that has to wait: nothing is left for it,
// whichever bucket refused it, and the time is that of Retry-After.
func (s *Standing) refused(wait time.Duration) {
	if s.Quota != 0 {
		s.Remaining, s.Reset = 0, wait
	}
}

// PolicyHeader is the value of RateLimit-Policy, or "" to send none
// (draft-ietf-httpapi-ratelimit-headers-10 §3): quota and window in seconds.
// The draft writes token buckets so that q per w is the sustained rate.
func (s Standing) PolicyHeader() string {
	return s.header(";q=", int64(s.Quota), ";w=", s.Window)
}

// LimitHeader is the value of RateLimit, or "" to send none (§4 of the draft):
// what remains, and the seconds until all is back.
func (s Standing) LimitHeader() string {
	return s.header(";r=", int64(s.Remaining), ";t=", s.Reset)
}

func (s Standing) header(number string, n int64, seconds string, d time.Duration) string {
	if s.Quota == 0 {
		return ""
	}
	b := append(make([]byte, 0, 48), '"')
	b = append(append(b, s.kind...), '"')
	b = strconv.AppendInt(append(b, number...), n, 10)
	b = strconv.AppendInt(append(b, seconds...), wholeSeconds(d), 10)
	return string(b)
}
