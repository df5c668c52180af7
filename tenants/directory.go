package tenants

import (
	"context"
	"strconv"
	"strings"

	"causeway/internal/cache"
	"causeway/internal/journal"
	"causeway/internal/problem"
)

// Directory answers who an organization is and what its roles allow, from
// memory. It holds a bounded number of snapshots and forgets them when the
// journal says so and never otherwise.
type Directory struct {
	store  Store
	byID   *cache.Cache[OrgID, *Snapshot]
	byName *cache.Cache[string, OrgID] // keys are folded
	asked  *cache.Cache[string, OrgID] // as byName, for names not in there; empty where there is none
	count  *cache.Cache[struct{}, int]
}

// NewDirectory keeps at most size organizations in memory.
func NewDirectory(store Store, size int) (*Directory, error) {
	byID, err := cache.New[OrgID, *Snapshot](size)
	if err != nil {
		return nil, err
	}
	byName, err := cache.New[string, OrgID](size)
	if err != nil {
		return nil, err
	}
	asked, err := cache.New[string, OrgID](size)
	if err != nil {
		return nil, err
	}
	count, err := cache.New[struct{}, int](1)
	if err != nil {
		return nil, err
	}
	return &Directory{store: store, byID: byID, byName: byName, asked: asked, count: count}, nil
}

// Organization returns the snapshot of an organization, enabled or not.
// Unknown is problem.NotFound.
func (d *Directory) Organization(ctx context.Context, id OrgID) (*Snapshot, error) {
	return d.byID.Fill(ctx, id, func() (s *Snapshot, err error) {
		err = d.store.View(ctx, func(r Reader) error {
			o, err := r.Organization(id)
			if err != nil {
				return err
			}
			roles, err := r.Roles(id)
			if err != nil {
				return err
			}
			published, err := r.PublishedRights(id)
			if err != nil {
				return err
			}
			s = Compile(o, roles, published)
			s.OwnQuota, err = currentQuota(r, id, o.Quota)
			return err
		})
		return s, err
	})
}

// ByName returns the snapshot of the organization with this name, compared
// folded. Unknown is problem.NotFound. Absence is remembered as presence is, so that
// the time of an answer does not tell a stranger which organizations there are; but
// apart from it, so that guesses push out nothing but guesses.
func (d *Directory) ByName(ctx context.Context, name string) (*Snapshot, error) {
	if !ValidName(name) { // and so takes no room
		return nil, absent()
	}
	folded := FoldName(name)
	id, err := d.byName.Fill(ctx, folded, func() (OrgID, error) {
		id, err := d.asked.Fill(ctx, folded, func() (OrgID, error) { return d.named(ctx, name) })
		if err == nil && id == "" {
			err = absent()
		}
		return id, err
	})
	if err != nil {
		return nil, err
	}
	return d.Organization(ctx, id)
}

func absent() error { return problem.New(problem.NotFound, "There is no such organization.") }

// named is the organization that has the name now, or empty.
func (d *Directory) named(ctx context.Context, name string) (id OrgID, err error) {
	err = d.store.View(ctx, func(r Reader) error {
		o, err := r.OrganizationByName(name)
		id = o.ID
		return err
	})
	if problem.Has(err, problem.NotFound) {
		return "", nil
	}
	return id, err
}

// forgetNames begins with what byName is filled from: what is read of it before it
// is forgotten is then not kept in byName either.
func (d *Directory) forgetNames() {
	d.asked.Flush()
	d.byName.Flush()
	d.count.Flush()
}

// Count is the number of organizations, System included. It is remembered: a
// list of ten thousand names its total on every page.
func (d *Directory) Count(ctx context.Context) (int, error) {
	return d.count.Fill(ctx, struct{}{}, func() (n int, err error) {
		err = d.store.View(ctx, func(r Reader) error {
			n, err = r.CountOrganizations()
			return err
		})
		return n, err
	})
}

// Require answers nil when p's role allows one of rights in org, else
// problem.Forbidden. A provider acts in a tenant's organization under its own
// role in System.
func (d *Directory) Require(ctx context.Context, p Principal, org OrgID, rights ...Right) error {
	snapshot, err := d.Organization(ctx, p.Org)
	if err != nil {
		return err
	}
	if !snapshot.Enabled {
		return problem.New(problem.Unauthenticated, "The session is not valid.").With(problem.FactReason, problem.ReasonDisabled)
	}
	if p.Org != org && !p.Provider() {
		return problem.New(problem.Forbidden, "Access to the resource is forbidden.").With(problem.FactReason, problem.ReasonOtherOrg)
	}
	for _, right := range rights {
		if snapshot.Allows(p.Role, p.Kind, right) {
			return nil
		}
	}
	role, _ := snapshot.RoleName(p.Role)
	return problem.New(problem.Forbidden, "The role %q in organization %s does not allow %s.", role, snapshot.Name, oneOf(rights)).
		With(lacking(snapshot, p, rights)...)
}

// Apply forgets an organization when the journal names it, one of its roles or
// one of its quota policies, and all of them when what is published to
// organizations changes: who sees a publication is for the database to say.
func (d *Directory) Apply(row journal.Row) {
	switch row.Subject.Kind {
	case journal.KindOrganization:
		d.forgetNames()
		d.byID.ForgetKey(OrgID(row.Subject.ID))
	case journal.KindRole, journal.KindQuotaPolicy:
		d.byID.ForgetKey(OrgID(row.Org))
	case journal.KindGlobalRole, journal.KindRightsBundle:
		d.byID.Flush()
	}
}

// Flush forgets everything.
func (d *Directory) Flush() {
	d.byID.Flush()
	d.forgetNames()
}

func oneOf(rights []Right) string {
	quoted := make([]string, len(rights))
	for i, r := range rights {
		quoted[i] = strconv.Quote(string(r))
	}
	return strings.Join(quoted, " or ")
}
