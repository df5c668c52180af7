package contact

import (
	"context"

	"causeway/federation"
	"causeway/tenants"
)

// OrgQuery is what a site asks about organizations.
type OrgQuery struct {
	// Since is the sequence of an earlier answer; what changed after it is enough.
	// Zero asks for everything.
	Since int64
	After Place // where the last page ended
	Limit int   // how many pairs; at most maxPairs
	// Pairs asks about these alone: Local is an organization of the asked site.
	Pairs []federation.Pair
}

const (
	// maxAsked is how many single pairs one question may name.
	maxAsked = 50
	// fewChanges is up to how many changes are looked up one by one; more make the
	// asking site read everything.
	fewChanges = 100
)

// Orgs answers with which local organizations are associated with organizations
// of the asking site, and with nothing about others (R6).
func (s *Service) Orgs(ctx context.Context, from tenants.SiteID, q OrgQuery) (page OrgPage, err error) {
	if _, err := s.admit(ctx, from); err != nil {
		return page, err
	}
	// The sequence comes first: what is read afterwards is at least as new.
	seq := s.Journal.Applied()
	changes, last, _, known := s.shown.after(q.Since)
	err = s.Store.View(ctx, func(r federation.Reader) (err error) {
		if len(q.Pairs) > 0 {
			page = OrgPage{Seq: seq}
			page.Pairs, err = thesePairs(r, from, q.Pairs)
			return err
		}
		if known && q.Since > 0 {
			pairs, few, err := changedPairs(r, from, changes)
			if err != nil || few {
				page = OrgPage{Seq: last, Pairs: pairs}
				return err
			}
		}
		page, err = allPairs(r, from, q)
		page.Seq = seq
		return err
	})
	return page, err
}

func allPairs(r federation.Reader, from tenants.SiteID, q OrgQuery) (OrgPage, error) {
	limit := min(max(q.Limit, 1), maxPairs)
	list, err := r.Shared(from, q.After, limit+1)
	page := OrgPage{Whole: true, More: len(list) > limit, Pairs: []PairState{}}
	for _, h := range list[:min(len(list), limit)] {
		page.Pairs = append(page.Pairs, stateOf(h))
	}
	return page, err
}

func stateOf(h federation.Shared) PairState {
	return PairState{Org: h.Local, With: h.Remote, Name: h.Name, Enabled: h.Enabled, Held: true}
}

// thesePairs tells of each pair whether it is held with this very site. Of what is
// not, nothing else is said: whether the organization exists is not theirs to know.
func thesePairs(r federation.Reader, from tenants.SiteID, pairs []federation.Pair) ([]PairState, error) {
	list, err := r.SharedPairs(from, pairs)
	held := map[federation.Pair]federation.Shared{}
	for _, h := range list {
		held[h.Pair] = h
	}
	states := []PairState{}
	for _, p := range pairs {
		if h, ok := held[p]; ok {
			states = append(states, stateOf(h))
		} else {
			states = append(states, PairState{Org: p.Local, With: p.Remote})
		}
	}
	return states, err
}

// changedPairs looks up what has changed for one site. It is false where reading
// everything costs less.
func changedPairs(r federation.Reader, from tenants.SiteID, changes []numbered[touched]) ([]PairState, bool, error) {
	orgs, pairs := map[tenants.OrgID]bool{}, map[federation.Pair]bool{}
	for _, c := range changes {
		switch c.what.site {
		case "":
			orgs[c.what.org] = true
		case from:
			pairs[c.what.with] = true
		}
	}
	if len(orgs)+len(pairs) > fewChanges {
		return nil, false, nil
	}
	states, err := thesePairs(r, from, keysOf(pairs))
	if err != nil {
		return nil, false, err
	}
	whole, err := r.SharedBy(from, keysOf(orgs), maxPairs)
	for _, h := range whole {
		if !pairs[h.Pair] {
			states = append(states, stateOf(h))
		}
	}
	return states, len(whole)+len(pairs) < maxPairs, err
}

func keysOf[K comparable](set map[K]bool) []K {
	list := make([]K, 0, len(set))
	for k := range set {
		list = append(list, k)
	}
	return list
}
