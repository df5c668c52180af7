package upstream

import (
	"net/http"
	"sync/atomic"
)

// counts are what came of requests and checks.
type counts struct {
	answered, refused, relayed            atomic.Uint64
	unreachable, silent, broken, left     atomic.Uint64
	unwell, retries, ejections, unhealthy atomic.Uint64
	signed                                atomic.Uint64
}

// Stats are the numbers of a Proxy since it was made, and how things are now.
type Stats struct {
	// Outcomes of requests that went to an upstream: answered, relayed (502, 503, 504),
	// unreachable, silent, broken, and left, by the client or by what ended its session.
	Outcomes map[string]uint64
	Refused  uint64 // answers of 401 or 403: the instance's own word, CSP-10
	Unwell   uint64 // requests for which no upstream was well
	Retries  uint64 // at another upstream, where nothing had been sent
	Ejected  uint64 // upstreams that were left out for what requests met
	Failed   uint64 // health checks
	Signed   uint64 // assertions
	Loads    uint64 // of the table of instances

	Instances, Well, Out int // now; the latter are upstreams
}

// Stats tells the numbers.
func (p *Proxy) Stats() Stats {
	c := &p.counts
	s := Stats{
		Outcomes: map[string]uint64{
			"answered": c.answered.Load(), "relayed": c.relayed.Load(), "unreachable": c.unreachable.Load(),
			"silent": c.silent.Load(), "broken": c.broken.Load(), "left": c.left.Load(),
		},
		Refused: c.refused.Load(), Unwell: c.unwell.Load(), Retries: c.retries.Load(), Ejected: c.ejections.Load(),
		Failed: c.unhealthy.Load(), Signed: c.signed.Load(), Loads: uint64(p.loads.Load()),
	}
	now := p.now()
	count := func(one *pool) {
		s.Instances++
		for _, m := range one.members {
			if m.well(now) {
				s.Well++
			} else {
				s.Out++
			}
		}
	}
	for i := range p.table.instances {
		count(p.table.instances[i].pool)
	}
	p.each(count)
	return s
}

// note counts an answer. What gateways say when nothing answers behind them counts
// against an upstream; refusals and errors of the service do not.
func (p *Proxy) note(pool *pool, m *member, status int, probe bool) {
	switch status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		p.counts.relayed.Add(1)
		if pool.fail(m, relayed, p.now(), probe) {
			p.counts.ejections.Add(1)
		}
		return
	case http.StatusUnauthorized, http.StatusForbidden:
		p.counts.refused.Add(1)
	}
	p.counts.answered.Add(1)
	m.succeeded(p.now)
}

// noteFailure counts what was no answer; without a reason nobody is to blame.
func (p *Proxy) noteFailure(pool *pool, m *member, why failure, probe bool) {
	switch why {
	case unreachable:
		p.counts.unreachable.Add(1)
	case silent:
		p.counts.silent.Add(1)
	case broken:
		p.counts.broken.Add(1)
	default:
		p.counts.left.Add(1)
		return
	}
	if pool.fail(m, why, p.now(), probe) {
		p.counts.ejections.Add(1)
	}
}
