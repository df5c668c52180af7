package contact

import (
	"context"
	"time"

	"causeway/federation"
	"causeway/internal/problem"
	"causeway/tenants"
)

// admit lets an associated site ask.
func (s *Service) admit(ctx context.Context, from tenants.SiteID) (federation.SiteAssociation, error) {
	a, err := s.know(ctx, from)
	if err != nil {
		return a, err
	}
	return a, s.doors.pass(from)
}

// know is the association with a site that asks. A connection outlives the association that
// let it in, so each question is judged by it as it is now.
func (s *Service) know(ctx context.Context, from tenants.SiteID) (federation.SiteAssociation, error) {
	if !s.Journal.Fresh() {
		return federation.SiteAssociation{}, problem.New(problem.Unavailable, "The site cannot reach its database.").After(time.Second)
	}
	a, err := s.Peers.Association(ctx, from)
	if problem.Has(err, problem.NotFound) {
		return a, problem.New(problem.Forbidden, "The sites are not associated.").With(problem.FactReason, problem.ReasonNoAssoc)
	}
	return a, err
}

// Hear answers a heartbeat. It changes nothing itself: what it says of the sender
// counts when the sender has answered ours.
func (s *Service) Hear(ctx context.Context, from tenants.SiteID, h Heartbeat) (Heartbeat, error) {
	a, err := s.know(ctx, from)
	if err != nil {
		return Heartbeat{}, err
	}
	if err := s.doors.passBeat(from); err != nil {
		return Heartbeat{}, err
	}
	if h.Site != from {
		return Heartbeat{}, malformed("site is another than the one that sends")
	}
	if s.news(a, h) {
		s.visit(from)
	}
	return s.beat(a), nil
}

// beat is what this site says of itself.
func (s *Service) beat(a federation.SiteAssociation) Heartbeat {
	self := s.Self()
	h := Heartbeat{
		Site: self.ID, Name: self.Name, Time: s.Now().UTC(), Head: s.Journal.Applied(), API: s.API, Holds: a.Status, HoldsYou: a.Site != "",
	}
	if s.BundleSeq != nil {
		h.BundleSeq = s.BundleSeq()
	}
	return h
}

func (s *Service) newBundle(a federation.SiteAssociation, h Heartbeat) {
	if s.NewBundle != nil && h.BundleSeq > a.BundleSeq {
		s.NewBundle(a.Site, h.BundleSeq)
	}
}

// news reports whether a heartbeat is a reason to make contact at once. An error is
// none: both sides would call each other's contact news for as long as it lasts.
func (s *Service) news(a federation.SiteAssociation, h Heartbeat) bool {
	s.newBundle(a, h)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.peer(a.Site)
	grown := h.Head > p.Head
	p.Head = max(p.Head, h.Head)
	return grown || !h.HoldsYou || a.Status == federation.Asymmetric || a.Status == federation.Unreachable
}
