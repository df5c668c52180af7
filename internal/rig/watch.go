package rig

import (
	"context"
	"fmt"
	"time"

	"causeway/internal/pause"
)

// watchEvery is how exactly the timeline tells when something changed by itself.
const watchEvery = 250 * time.Millisecond

// watch tells when a status changes, until ctx ends.
func (r *run) watch(ctx context.Context) {
	for _, p := range r.w.sites {
		r.background.Go(func() {
			known := map[string]string{}
			for ctx.Err() == nil {
				r.compare(ctx, p, known)
				pause.For(ctx, watchEvery)
			}
		})
	}
}

func (r *run) compare(ctx context.Context, p *place, known map[string]string) {
	for _, of := range r.w.sites {
		if of == p {
			continue
		}
		site, why := p.status(ctx, of)
		r.changed(p, "site "+of.name, site, why, known)
		org, why := p.orgStatus(ctx, of)
		r.changed(p, "organization "+of.name, org, why, known)
	}
}

// changed tells a status that is another than before. One that cannot be read is
// not a status.
func (r *run) changed(p *place, what, status, reason string, known map[string]string) {
	before, seen := known[what]
	if status == "down" || status == "unknown" || before == status {
		return
	}
	known[what] = status
	if !seen { // how it was before the script
		return
	}
	if reason != "" {
		status += ": " + reason
	}
	r.timeline.add(p.name, "%s is %s, was %s", what, status, before)
}

// ask sends requests, and tells when the answer changes.
func (r *run) ask(ctx context.Context, s Step) {
	until := r.w.c.Script.End
	if s.Until > 0 {
		until = min(until, s.Until)
	}
	ctx, cancel := context.WithDeadline(ctx, r.w.begun.Add(until))
	defer cancel()
	a, before, times := r.w.site(s.A), "", 0
	slowest := time.Duration(0)
	total := map[string]int{}
	for next := now(); ; {
		begun := now()
		got := a.request(ctx, s.B)
		if ctx.Err() != nil {
			break
		}
		took := since(begun)
		slowest = max(slowest, took)
		total[got]++
		if got != before {
			r.timeline.add(s.where(), "%s in %v%s", answered(got), took, was(before, times))
			before, times = got, 0
		}
		times++
		if next = next.Add(s.Every); next.Before(now()) {
			next = now()
		}
		if !pause.For(ctx, time.Until(next)) {
			break
		}
	}
	r.timeline.add(s.where(), "asked every %v: %v, the slowest in %v", s.Every, total, slowest)
}

func answered(got string) string {
	if got == none {
		return "no answer"
	}
	return got
}

func was(before string, times int) string {
	if before == "" {
		return ""
	}
	return fmt.Sprintf(", before %d times %s", times, answered(before))
}
