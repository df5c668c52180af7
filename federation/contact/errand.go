package contact

import (
	"context"
	"sync"
	"time"

	"causeway/federation"
	"causeway/internal/pause"
	"causeway/tenants"
)

const (
	// maxErrands is how many sites can wait to be contacted by a cell without the
	// lease. The others are contacted in their turn.
	maxErrands = 64
	// errandsAtOnce is how many are contacted at the same time, each alone: a site
	// that is slow holds up nobody but itself.
	errandsAtOnce = 16
	// errandTimeout bounds one errand. What takes longer is for the cell with the
	// lease.
	errandTimeout = 20 * time.Second
)

// errand is a site that is to be contacted once.
type errand struct {
	pairs    map[federation.Pair]bool // to be asked about
	underWay bool
	again    bool // there was something new while it was under way
}

// visit has a site contacted at once, because it has something to tell. Which
// cell it told is chance, and where that is not the one that makes contact, this
// one does so once: what is written is written only if it is still true.
func (s *Service) visit(site tenants.SiteID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.crew[site]; t != nil {
		signal(t.wake)
		return
	}
	s.send(site)
}

// Misled has a site asked about a pair of organizations, one of which a request
// did not find there: whether anything is new in its directory or not.
func (s *Service) Misled(site tenants.SiteID, pair federation.Pair) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.crew[site]; t != nil {
		t.inquire(pair)
		return
	}
	if e := s.send(site); e != nil && len(e.pairs) < maxAsked {
		e.pairs[pair] = true
	}
}

// send is the errand to a site, nil if there are too many. s.mu is held.
func (s *Service) send(site tenants.SiteID) *errand {
	e := s.pending[site]
	switch {
	case e != nil:
		e.again = e.underWay
	case len(s.pending) < maxErrands:
		e = &errand{pairs: map[federation.Pair]bool{}}
		s.pending[site] = e
		s.errands <- site // has room for all that are pending
	}
	return e
}

func (s *Service) runErrands(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	slots := make(chan struct{}, errandsAtOnce)
	for {
		select {
		case <-ctx.Done():
			return
		case slots <- struct{}{}:
		}
		select {
		case <-ctx.Done():
			return
		case site := <-s.errands:
			all.Go(func() {
				defer func() { <-slots }()
				s.runErrand(ctx, site)
			})
		}
	}
}

// runErrand does one errand and rests. Only then can the same site have another.
func (s *Service) runErrand(ctx context.Context, site tenants.SiteID) {
	s.errand(ctx, site, s.begin(site))
	pause.For(ctx, breather)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.pending[site]; e.again {
		e.underWay, e.again = false, false
		s.errands <- site
		return
	}
	delete(s.pending, site)
}

// begin takes what an errand is to ask about.
func (s *Service) begin(site tenants.SiteID) (pairs map[federation.Pair]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.pending[site]
	pairs, e.pairs, e.underWay = e.pairs, map[federation.Pair]bool{}, true
	return pairs
}

// errand is one exchange that counts only if it comes about: how often a site
// was missed is for the cell with the lease to count.
func (s *Service) errand(ctx context.Context, site tenants.SiteID, pairs map[federation.Pair]bool) {
	ctx, cancel := context.WithTimeout(ctx, errandTimeout)
	defer cancel()
	a, err := s.Peers.Association(ctx, site)
	if err != nil {
		return // it is gone, or nothing could be written
	}
	t := s.newTalker(site)
	t.pairs = pairs
	t.once, t.whole, t.later, t.dirSeq, t.noted = true, false, a.DirSeq == 0, a.DirSeq, a.ContactedAt
	if _, err := t.turn(ctx); err != nil && ctx.Err() == nil {
		s.Log.Warn("the contact with a site could not be noted", "peer", string(site), "error", err)
	}
}
