package contact

import (
	"context"

	"causeway/tenants"
)

// maxErrands is how many sites can wait to be contacted by a cell without the
// lease. The others are contacted in their turn.
const maxErrands = 64

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
	if s.pending[site] {
		return
	}
	select {
	case s.errands <- site:
		s.pending[site] = true
	default:
	}
}

func (s *Service) runErrands(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case site := <-s.errands:
			s.errand(ctx, site)
			s.mu.Lock()
			delete(s.pending, site)
			s.mu.Unlock()
			if !pause(ctx, breather) {
				return
			}
		}
	}
}

// errand is one exchange that counts only if it comes about: how often a site
// was missed is for the cell with the lease to count.
func (s *Service) errand(ctx context.Context, site tenants.SiteID) {
	a, err := s.Peers.Association(ctx, site)
	if err != nil {
		return // it is gone, or nothing could be written
	}
	t := s.newTalker(site)
	t.once, t.whole, t.later, t.dirSeq, t.noted = true, false, a.DirSeq == 0, a.DirSeq, a.ContactedAt
	if _, err := t.turn(ctx); err != nil && ctx.Err() == nil {
		s.Log.Warn("the contact with a site could not be noted", "peer", string(site), "error", err)
	}
}
