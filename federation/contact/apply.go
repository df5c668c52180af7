package contact

import (
	"causeway/federation"
	"causeway/internal/journal"
	"causeway/tenants"
)

// Apply notes what the journal says: for peers that ask, and for what this cell
// has to find out itself.
func (s *Service) Apply(row journal.Row) {
	if what, ok := ended(row); ok {
		s.ended.note(row.Seq, what)
	} else {
		s.ended.note(row.Seq)
	}
	if what, ok := shows(row); ok {
		s.shown.note(row.Seq, what...)
	} else {
		s.shown.forgetUpTo(row.Seq)
	}
	switch row.Subject.Kind {
	case journal.KindSite:
		s.siteChanged(tenants.SiteID(row.Subject.ID), row.Action)
	case journal.KindOrgAssociation:
		s.pairChanged(row)
	}
}

// Flush is told that rows may have been missed.
func (s *Service) Flush() {
	s.ended.forget()
	s.shown.forget()
	s.mu.Lock()
	for _, t := range s.crew {
		t.inquireAll()
	}
	s.mu.Unlock()
	signal(s.due)
	signal(s.direct)
}

// siteChanged is about an association with a site, or this site's own name.
func (s *Service) siteChanged(site tenants.SiteID, action journal.Action) {
	if action == journal.SiteLinkStatus {
		return // we have found it out ourselves
	}
	signal(s.due)
	s.Changed(site)
}

// pairChanged has the other side asked about an association of organizations that
// somebody here has made or changed.
func (s *Service) pairChanged(row journal.Row) {
	if foundOut(row) {
		return
	}
	signal(s.direct)
	pair := federation.Pair{Local: tenants.OrgID(row.Org), Remote: tenants.OrgID(row.Subject.ID)}
	site := tenants.SiteID(row.Detail[detailSite])
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, t := range s.crew {
		switch site {
		case id:
			t.inquire(pair)
		case "":
			t.inquireAll()
		}
	}
}

// Changed has a site contacted at once, by this cell if it makes contact: what is
// held about it, or with its organizations, has changed.
func (s *Service) Changed(site tenants.SiteID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.crew[site]; t != nil {
		signal(t.wake)
	}
}
