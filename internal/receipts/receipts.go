package receipts

import (
	"context"
	"slices"
	"time"

	"causeway/federation"
	"causeway/federation/assertion"
	"causeway/internal/cells"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Store reads single entries of the journal. Absence is problem.NotFound.
type Store interface {
	// Recorded is an entry of one organization.
	Recorded(ctx context.Context, org tenants.OrgID, seq int64) (journal.Row, error)
	// RecordedAnywhere is an entry of any: for the provider.
	RecordedAnywhere(ctx context.Context, seq int64) (journal.Row, error)
}

// Cells says who serves, see cells.Registry.
type Cells interface {
	Cells(ctx context.Context) ([]cells.Cell, error)
	Settled() int64
}

// Service makes receipts.
type Service struct {
	Store        Store
	Cells        Cells
	Associations federation.Store
	Stale        time.Duration // journal.stale_after
	Now          func() time.Time
}

// Receipt is where a change has taken effect.
type Receipt struct {
	journal.Row
	// Live cells were heard of within Stale. Applied know the change, Refusing do
	// not and answer nobody until they do, and Waiting may still act by the state
	// before it. Together they are all cells that did not leave.
	Live, Applied, Refusing int
	Waiting                 []string // names
	// LastHere is the latest time at which anybody at this site can have acted by
	// the state before the change.
	LastHere time.Time
	// Sites are the associated ones that the change concerns, and LastThere the
	// latest time at which one of them can have accepted a request that was
	// vouched for before it.
	Sites     []federation.SiteAssociation
	LastThere time.Time
}

// Complete says that every cell of this site knows the change, or refuses.
func (r Receipt) Complete() bool { return len(r.Waiting) == 0 }

// LastTokenDiesAt is when a token that the change ends is dead everywhere.
func (r Receipt) LastTokenDiesAt() time.Time {
	if len(r.Sites) == 0 {
		return r.LastHere
	}
	return r.LastThere
}

// Find reads an entry of an organization, or of any for the provider's own, and
// says where it has taken effect. may is asked whether the entry may be seen;
// otherwise it looks as if there were none.
func (s *Service) Find(ctx context.Context, org tenants.OrgID, seq int64, may func(journal.Row) bool) (Receipt, error) {
	row, err := s.row(ctx, org, seq)
	if problem.Has(err, problem.NotFound) || err == nil && !may(row) {
		return Receipt{}, problem.Hidden()
	}
	if err != nil {
		return Receipt{}, err
	}
	r := Receipt{Row: row}
	if err := s.here(ctx, &r); err != nil {
		return Receipt{}, err
	}
	return r, s.there(ctx, &r)
}

func (s *Service) row(ctx context.Context, org tenants.OrgID, seq int64) (journal.Row, error) {
	if org == tenants.SystemOrgID {
		return s.Store.RecordedAnywhere(ctx, seq)
	}
	return s.Store.Recorded(ctx, org, seq)
}

// here counts the cells. Settled is asked for after the row was read, so that a
// change is never older than it is taken for.
func (s *Service) here(ctx context.Context, r *Receipt) error {
	all, err := s.Cells.Cells(ctx)
	if err != nil {
		return err
	}
	settled := r.Seq <= s.Cells.Settled()
	for _, c := range all {
		if c.Unseen <= s.Stale {
			r.Live++
		}
		switch {
		case c.Applied >= r.Seq:
			r.Applied++
		case settled:
			r.Refusing++
		default:
			r.Waiting = append(r.Waiting, c.Name)
		}
	}
	// It was committed after it was recorded, by moments or, at worst, by half a
	// minute: while somebody is waited for, that is not over.
	from := r.At
	if now := s.Now(); !r.Complete() && from.Add(s.Stale).Before(now) {
		from = now
	}
	r.LastHere = from.Add(s.Stale)
	r.LastThere = r.LastHere.Add(assertion.Longest)
	return nil
}

// there lists the sites with which the entry's organization is associated, and
// all of them for what the provider changes for everybody.
func (s *Service) there(ctx context.Context, r *Receipt) error {
	return s.Associations.View(ctx, func(f federation.Reader) error {
		sites, err := f.SiteAssociations()
		if err != nil {
			return err
		}
		org := tenants.OrgID(r.Org)
		if org == "" || org == tenants.SystemOrgID {
			r.Sites = sites
			return nil
		}
		orgs, err := f.OrgAssociations(org)
		r.Sites = slices.DeleteFunc(sites, func(a federation.SiteAssociation) bool {
			return !slices.ContainsFunc(orgs, func(o federation.OrgAssociation) bool { return o.Site == a.Site })
		})
		return err
	})
}
