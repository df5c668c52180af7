package site

import (
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/pulse"
	"causeway/internal/refusal"
	"causeway/internal/trail"
	"causeway/portal/monitoring"
	"causeway/ratelimit"
)

// openPulse begins to remember how the metrics go, which all are registered.
func (s *Site) openPulse() (err error) {
	s.examiner = journal.NewExaminer(s.db.Archive(), s.clock, s.log)
	s.pulse, err = pulse.New(pulse.Config{Gather: s.metrics.registry.Gather, Series: pulseSeries(), Now: s.clock, Log: s.log})
	return err
}

// desk shows refusals.
func (s *Site) desk() *refusal.Desk {
	return &refusal.Desk{Store: s.db.Refusals(), Orgs: s.directory, Now: s.clock}
}

func (s *Site) trail() *trail.Service {
	return &trail.Service{Store: s.db.Trail(), Orgs: s.directory, Site: s.self.ID}
}

// monitoring is what the pages of that name read.
func (s *Site) monitoring() monitoring.Config {
	return monitoring.Config{
		Pulse: s.pulse, Trail: s.trail(), Webhooks: s.webhooks(), Refusals: s.desk(),
		Receipts: s.receipts(), Examiner: s.examiner, Orgs: s.directory, SiteName: s.name.Get, Now: s.clock,
	}
}

// pulseSeries are what the numbers' page draws, by the names that it knows.
func pulseSeries() []pulse.Series {
	list := []pulse.Series{
		{Name: "peer", Family: "causeway_requests_total", Labels: map[string]string{"fulfilled": fulfilledPeer}},
		{Name: "took", Family: "causeway_request_duration_seconds", Labels: map[string]string{"fulfilled": fulfilledHere}, Kind: pulse.Spread},
		{Name: "took.peer", Family: "causeway_request_duration_seconds", Labels: map[string]string{"fulfilled": fulfilledPeer}, Kind: pulse.Spread},
		{Name: "statements", Family: "causeway_database_statements_total"},
		{Name: "fresh", Family: "causeway_journal_fresh", Kind: pulse.Level},
		{Name: "cells", Family: "causeway_cells_live", Kind: pulse.Level},
		{Name: "latency", Family: "causeway_peer_latency_seconds", Kind: pulse.Level},
		{Name: "asked", Family: "causeway_multisite_questions_total"},
	}
	for _, class := range []string{"2xx", "3xx", "4xx", "5xx"} {
		list = append(list, pulse.Series{Name: "answers." + class, Family: "causeway_requests_total", Labels: map[string]string{"status": class}})
	}
	for _, code := range problem.Codes() {
		list = append(list, pulse.Series{Name: "refused." + string(code), Family: "causeway_problems_total", Labels: map[string]string{"code": string(code)}})
	}
	// What a limit lets through is counted in each of its buckets, and what it
	// refuses in one.
	for limit, bucket := range map[ratelimit.Name]ratelimit.Kind{
		ratelimit.DeviceAuthorization: ratelimit.PerSource, ratelimit.TokenPoll: ratelimit.PerRequest, ratelimit.UserCode: ratelimit.PerAccount,
		ratelimit.TokenRefresh: ratelimit.PerAccount, ratelimit.TokenFailure: ratelimit.PerSource, ratelimit.Login: ratelimit.PerAccount,
		ratelimit.Crossing: ratelimit.PerOrgAtPeer, ratelimit.Management: ratelimit.PerAccount,
	} {
		list = append(list,
			limitSeries(limit, "allowed", "bucket", string(bucket)),
			limitSeries(limit, "refused"))
	}
	return list
}

func limitSeries(limit ratelimit.Name, decision string, more ...string) pulse.Series {
	labels := map[string]string{"limit": string(limit), "decision": decision}
	for i := 0; i+1 < len(more); i += 2 {
		labels[more[i]] = more[i+1]
	}
	return pulse.Series{Name: string(limit) + "." + decision, Family: "causeway_limit_decisions_total", Labels: labels}
}
