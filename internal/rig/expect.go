package rig

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"causeway/federation"
	"causeway/internal/pause"
	"causeway/internal/problem"
)

// pause is how long an expectation rests between two looks: briefly while it
// waits for something to happen, and longer while nothing should.
func (e Expectation) pause() time.Duration {
	if e.For {
		return time.Second
	}
	return 250 * time.Millisecond
}

// expect looks until the expectation is met or not.
func (r *run) expect(ctx context.Context, s Step) {
	e := s.Expect
	begun := now()
	ctx, cancel := context.WithTimeout(ctx, e.Time)
	defer cancel()
	seen := "nothing"
	for {
		value := r.look(ctx, s)
		if ctx.Err() != nil { // what was seen then may be the end's doing
			break
		}
		seen = value
		if e.For && !e.met(seen) {
			r.fail(s, "%s is %s after %v, and must stay %s for %v", s.what(), seen, since(begun), e.Value, e.Time)
			return
		}
		if !e.For && e.met(seen) {
			r.meet(s, "%s is %s after %v", s.what(), seen, since(begun))
			return
		}
		if !pause.For(ctx, e.pause()) {
			break
		}
	}
	if e.For && e.met(seen) {
		r.meet(s, "%s was %s for %v", s.what(), seen, since(begun))
		return
	}
	r.fail(s, "%s is %s after %v, and not %s", s.what(), seen, since(begun), e.Value)
}

func since(t time.Time) time.Duration { return time.Since(t).Round(time.Millisecond) }

func (r *run) meet(s Step, format string, args ...any) {
	r.timeline.add(s.where(), "ok     line %d: %s", s.Line, fmt.Sprintf(format, args...))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.met++
}

// what an expectation looks at.
func (s Step) what() string {
	switch s.Expect.Look {
	case LookRequest:
		return "the answer"
	case LookStatus:
		return "the site's status"
	case LookOrg:
		return "the organization's status"
	}
	return string(s.Expect.Look)
}

// look is the value now.
func (r *run) look(ctx context.Context, s Step) string {
	a := r.w.site(s.A)
	switch s.Expect.Look {
	case LookRequest:
		return a.request(ctx, s.B)
	case LookStatus:
		value, _ := a.status(ctx, r.w.site(s.B))
		return value
	case LookOrg:
		value, _ := a.orgStatus(ctx, r.w.site(s.B))
		return value
	case LookReady:
		return a.ready(ctx)
	}
	return a.members()
}

// status is what a site's association says, and why.
func (p *place) status(ctx context.Context, of *place) (status, reason string) {
	return p.held(ctx, func(r federation.Reader) (federation.Status, string, error) {
		a, err := r.SiteAssociation(of.id)
		return a.Status, a.Reason, err
	})
}

func (p *place) orgStatus(ctx context.Context, of *place) (status, reason string) {
	return p.held(ctx, func(r federation.Reader) (federation.Status, string, error) {
		a, err := r.OrgAssociation(p.org, of.location())
		return a.Status, a.Reason, err
	})
}

func (p *place) held(ctx context.Context, get func(federation.Reader) (federation.Status, string, error)) (status, reason string) {
	s, err := p.any()
	if err != nil {
		return "down", ""
	}
	var now federation.Status
	err = s.DB().Federation().View(ctx, func(r federation.Reader) (err error) {
		now, reason, err = get(r)
		return err
	})
	switch {
	case problem.Has(err, problem.NotFound):
		return none, ""
	case err != nil:
		return "unknown", ""
	}
	return string(now), reason
}

// members is the least that a cell's gossip knows.
func (p *place) members() string {
	least := -1
	for _, c := range p.cells {
		if s := c.running(); s != nil {
			if n, gossips := s.GossipMembers(); gossips && (least < 0 || n < least) {
				least = n
			}
		}
	}
	if least < 0 {
		return none
	}
	return strconv.Itoa(least)
}
