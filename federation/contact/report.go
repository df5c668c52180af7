package contact

import (
	"maps"
	"slices"
	"strings"
	"time"

	"causeway/federation"
	"causeway/tenants"
)

// Sample is what one exchange measured.
type Sample struct {
	At      time.Time     // of the answer, by this cell's clock; zero: there was none
	Latency time.Duration // from the question to the end of the answer, connecting included
	Skew    time.Duration // how far the other clock is ahead
	Error   string        // what went wrong, for people who run this site
}

// Peer is what this cell knows about the contact with a site.
type Peer struct {
	Site tenants.SiteID
	// Measured is false where another cell makes contact: then Sample is empty.
	Measured bool
	Sample
	Theirs federation.Status // of the association, as the site sees it
	API    Range
	Head   int64 // the site's journal, as far as it was told
	Feed   Feed
}

// Feed is how this cell follows a site's revocations.
type Feed struct {
	Following bool // else nobody's tokens of that site are accepted here, and there is nothing to follow
	Heard     time.Time
	Flushes   uint64 // how often everything was forgotten
}

// peer finds or makes what is known of a site; s.mu is held.
func (s *Service) peer(site tenants.SiteID) *Peer {
	p := s.known[site]
	if p == nil {
		p = &Peer{Site: site}
		s.known[site] = p
	}
	return p
}

// seen keeps what an exchange told.
func (s *Service) seen(site tenants.SiteID, h Heartbeat, f finding, sample Sample, measured bool) {
	s.mu.Lock()
	p := s.peer(site)
	defer s.mu.Unlock()
	if measured {
		p.Measured, p.Error = true, sample.Error
	}
	if sample.At.IsZero() {
		return
	}
	p.Theirs, p.API, p.Head = h.Holds, h.API, max(p.Head, h.Head)
	if measured {
		p.Sample, p.Error = sample, f.reason
	}
}

// Peers are the associated sites as far as this cell has to do with them, by
// their ids.
func (s *Service) Known() []Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Peer, 0, len(s.known))
	for _, p := range s.known {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b Peer) int { return strings.Compare(string(a.Site), string(b.Site)) })
	return list
}

// keepKnown forgets sites that are associated no more.
func (s *Service) keepKnown(held map[tenants.SiteID]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for site := range s.known {
		if !held[site] {
			s.doors.close(site)
		}
	}
	maps.DeleteFunc(s.known, func(site tenants.SiteID, _ *Peer) bool { return !held[site] })
	for site := range held {
		s.peer(site)
	}
}

// unmeasure is for when another cell makes contact.
func (s *Service) unmeasure() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.known {
		p.Measured, p.Sample = false, Sample{}
	}
}
