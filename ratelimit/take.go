package ratelimit

import (
	"fmt"
	"hash/maphash"
	"time"

	"causeway/internal/problem"
)

// Spend takes a token from every bucket that keys name. If any is empty it
// takes none and returns problem.TooManyRequests, with the time after which the
// same call would succeed if nobody else called meanwhile. Missing or foreign
// keys are problem.Internal: a limit that is asked wrongly must not let through.
func (l *Limiter) Spend(name Name, keys ...Key) error {
	d := l.Take(name, keys...)
	return d.Err()
}

// Check refuses like Spend but takes nothing, and may be asked with some of the
// keys: it turns a flood away before its body is read or a password hashed. It
// reserves nothing; what may go on is decided by Spend or Take.
func (l *Limiter) Check(name Name, keys ...Key) error {
	d := l.decide(name, keys, false)
	return d.Err()
}

// Take is Spend with the details, and with the way back: limits that count
// failures take a token before the try and return it after success. Counting
// afterwards would let any number of guesses in at the same moment.
//
//	d := lim.Take(ratelimit.Login, ratelimit.Source(addr), ratelimit.Account(name))
//	if err := d.Err(); err != nil {
//		return err
//	}
//	// ... verify; if it was right:
//	d.Return()
//
// Take when the work begins, not when it is queued, or honest logins that wait
// for a processor hold each other's tokens.
func (l *Limiter) Take(name Name, keys ...Key) Decision { return l.decide(name, keys, true) }

// decide looks at every bucket under lock, and only then takes from all or none.
func (l *Limiter) decide(name Name, keys []Key, take bool) Decision {
	lim, m := l.limits[name], mark(l.seed, keys)
	if err := misuse(lim, name, &m, take); err != nil {
		return Decision{Name: name, fault: err}
	}
	d := Decision{Name: name, limiter: l, limit: lim, at: l.clock()}
	var room [maxTables]hold
	held := lim.hold(room[:0], l.seed, &m, d.at)
	booked := lim.book(&m, l.instant(d.at))

	d.judge(held, booked)
	d.settle(held, booked, d.Allowed && take)
	if !d.Allowed {
		d.refused(d.RetryAfter)
	}

	booked.release()
	for i := range held {
		held[i].release()
	}
	return d
}

// hold locks the buckets that the keys name.
func (lim *limit) hold(held []hold, seed maphash.Seed, m *marks, now int64) []hold {
	for _, t := range lim.tablesFor(m) {
		hash, ok := m.of(seed, t.kind)
		if !ok {
			continue
		}
		if h, ok := t.hold(hash, now); ok {
			held = append(held, h)
		}
	}
	return held
}

// book locks the site-wide bucket, last of all, unless a known source is spared it.
func (lim *limit) book(m *marks, now time.Time) booking {
	if lim.site == nil || m.known {
		return booking{}
	}
	return lim.site.book(now)
}

// judge finds the bucket that has to be waited for longest: until then all
// others have filled too.
func (d *Decision) judge(held []hold, booked booking) {
	var blame *tally
	for i := range held {
		h := &held[i]
		if wait := time.Duration(h.meter.wait(h.b, d.at)); wait > d.RetryAfter {
			d.RetryAfter, d.Kind, blame = wait, h.table.kind, &h.shard.tally
		}
	}
	if booked.wait > d.RetryAfter {
		d.RetryAfter, d.Kind, blame = booked.wait, SiteWide, &booked.site.tally
	}
	if d.Allowed = blame == nil; !d.Allowed {
		blame.refused++
	}
}

// settle takes what was found, or leaves all as it was.
func (d *Decision) settle(held []hold, booked booking, take bool) {
	if take {
		booked.take()
	}
	for i := range held {
		h := &held[i]
		if take {
			h.take(d.at)
			d.Next = max(d.Next, time.Duration(h.meter.wait(h.b, d.at)))
			d.charges[d.charged] = charge{h.table, h.hash, h.place == spilled}
			d.charged++
		}
		if h.table.kind == d.limit.told {
			d.tell(h.table.kind, h.shard.meter, h.meter, h.b, d.at)
		}
	}
}

// misuse reports a call that is wrong in the program, not in the request.
func misuse(lim *limit, name Name, m *marks, take bool) error {
	switch {
	case lim == nil:
		return mistake("there is no limit %q", name)
	case m.twice:
		return mistake("%s was asked with two keys of one sort", name)
	case m.has&^(lim.needs|lim.may) != 0:
		return mistake("%s was asked with a key it does not count", name)
	case m.known && !lim.knows:
		return mistake("%s treats all sources alike", name)
	case take && lim.needs&^m.has != 0:
		return mistake("%s was asked without a key it needs", name)
	}
	return nil
}

func mistake(format string, args ...any) error {
	return problem.From(fmt.Errorf("ratelimit: "+format, args...))
}
