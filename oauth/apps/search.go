package apps

import (
	"context"
	"slices"
	"strings"
	"time"

	"causeway/services"
	"causeway/tenants"
)

// Search asks for the apps in an organization by the roles that they hold there.
type Search struct {
	Roles []RoleTerm // any of them
	// All asks for apps that hold all of them.
	All bool
	// Resource is the instance on which service roles are to be held, and
	// ResourcePrefix what its id begins with; empty does not ask.
	Resource       string
	ResourcePrefix string
}

// RoleTerm is a role, of one service or of any.
type RoleTerm struct {
	Kind       services.GrantKind
	Definition services.DefinitionID // empty: of any service
	Role       string
}

// everyPage is how many rows one read takes where all are wanted.
const everyPage = 1000

// SearchMembers lists the apps in an organization that s asks for.
func (s *Service) SearchMembers(ctx context.Context, by tenants.Caller, org tenants.OrgID, search Search, q tenants.Query) (list []Member, total int, err error) {
	now := s.clock()
	err = s.view(ctx, by, org, func(r Reader, standing services.Standing) error {
		if err := s.mustManage(standing); err != nil {
			return err
		}
		list, total = nil, 0
		for page, read := 1, 0; ; page++ {
			some, all, err := r.Members(org, tenants.Query{Page: page, PageSize: everyPage})
			if err != nil {
				return err
			}
			for _, m := range some {
				if !search.finds(m.Held, now) {
					continue
				}
				if total++; total > (q.Page-1)*q.PageSize && len(list) < q.PageSize {
					list = append(list, m)
				}
			}
			if read += len(some); read >= all || len(some) == 0 {
				return nil
			}
		}
	})
	return list, total, err
}

func (s Search) finds(h services.Held, now time.Time) bool {
	holds := func(t RoleTerm) bool {
		return slices.ContainsFunc(h.Grants, func(g services.Grant) bool { return g.Live(now) && s.fits(g) && t.fits(g) })
	}
	switch {
	case len(s.Roles) == 0:
		return s.anywhere() || slices.ContainsFunc(h.Grants, func(g services.Grant) bool { return g.Live(now) && s.fits(g) })
	case s.All:
		return !slices.ContainsFunc(s.Roles, func(t RoleTerm) bool { return !holds(t) })
	}
	return slices.ContainsFunc(s.Roles, holds)
}

func (s Search) anywhere() bool { return s.Resource == "" && s.ResourcePrefix == "" }

// fits reports whether g is where s asks for it. Only service roles are anywhere in
// particular.
func (s Search) fits(g services.Grant) bool {
	if s.anywhere() {
		return true
	}
	return g.Kind == services.GrantService && (s.Resource == "" || g.Resource == s.Resource) && strings.HasPrefix(g.Resource, s.ResourcePrefix)
}

// Fits reports whether a grant is one that s asks for.
func (s Search) Fits(g services.Grant) bool {
	return s.fits(g) && (len(s.Roles) == 0 || slices.ContainsFunc(s.Roles, func(t RoleTerm) bool { return t.fits(g) }))
}

func (t RoleTerm) fits(g services.Grant) bool {
	return g.Kind == t.Kind && g.Role == t.Role && (t.Definition == "" || g.Definition == t.Definition)
}
