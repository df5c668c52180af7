package tenants

import "context"

// Giving is how far a caller goes in giving rights away in an organization, for
// pages that offer what can be given. It is a look at one moment: whether somebody
// may, the change itself asks again.
type Giving struct {
	own       reach
	published RightSet
}

// Giving tells what the caller can give away in org.
func (s *Service) Giving(ctx context.Context, by Caller, org OrgID) (g Giving, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		g, err = givingOf(r, by.Principal, org)
		return err
	})
	return g, err
}

// RolesToGive are the roles of org that the caller may give to somebody of the
// given kind, with their rights and by name: those that [MayGive] allows.
func (s *Service) RolesToGive(ctx context.Context, by Caller, org OrgID, to PrincipalKind) (roles []Role, err error) {
	err = s.store.View(ctx, func(r Reader) error {
		g, err := givingOf(r, by.Principal, org)
		if err != nil {
			return err
		}
		all, err := r.Roles(org)
		roles = nil
		for _, role := range all {
			if len(g.Lacking(role, to)) == 0 {
				roles = append(roles, role)
			}
		}
		return err
	})
	return roles, err
}

func givingOf(g Ground, p Principal, org OrgID) (Giving, error) {
	own, err := ownReach(g, p)
	if err != nil {
		return Giving{}, err
	}
	published, err := availableIn(g, org)
	return Giving{own, published}, err
}

// Available are the rights that roles of the organization can have.
func (g Giving) Available() RightSet { return g.published }

// Own are the rights that the caller's own role allows.
func (g Giving) Own() RightSet { return g.own.now }

// Lacking are the rights that keep the caller from giving role to somebody of the
// given kind, and from changing it: see [MayGive].
func (g Giving) Lacking(role Role, to PrincipalKind) []Right {
	return g.own.lacks(role.reach(g.published, to)).List()
}
