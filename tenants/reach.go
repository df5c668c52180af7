package tenants

import "causeway/internal/problem"

// reach is how far a role goes in its organization.
type reach struct {
	now  RightSet // by what is published
	ever RightSet // by whatever may be published yet
}

// MayGive answers nil when p may give role to somebody of the given kind, or rule
// over somebody who has it: p's own role goes as far (R7). What counts is what the
// database says now. What is withdrawn counts as well: it comes back when it is
// published again, and must not come back to whoever got at it meanwhile.
func MayGive(g Ground, p Principal, role Role, to PrincipalKind) error {
	given, err := reachOf(g, role, to)
	if err != nil {
		return err
	}
	return goesAsFar(g, p, given)
}

// holds answers nil when p's own role allows every one of the given rights.
func holds(g Ground, p Principal, given RightSet) error {
	return goesAsFar(g, p, reach{now: given, ever: given})
}

// goesAsFar compares with p's own role.
func goesAsFar(g Ground, p Principal, given reach) error {
	own, err := ownReach(g, p)
	if err != nil {
		return err
	}
	lacking := own.lacks(given).List()
	if len(lacking) == 0 {
		return nil
	}
	return problem.New(problem.Forbidden, "It would allow %q, which the caller's own role does not.", string(lacking[0])).
		With(problem.FactReason, problem.ReasonGives, problem.FactRights, joined(lacking), problem.FactRole, p.RoleName)
}

// lacks is what given goes beyond r, now or ever.
func (r reach) lacks(given reach) RightSet {
	return given.now.Minus(r.now).Union(given.ever.Minus(r.ever))
}

// ownReach is how far p's role goes. One that was withdrawn from p goes nowhere.
func ownReach(g Ground, p Principal) (reach, error) {
	role, err := g.Role(p.Org, p.Role)
	if problem.Has(err, problem.NotFound) {
		return reach{}, nil
	}
	if err != nil {
		return reach{}, err
	}
	return reachOf(g, role, p.Kind)
}

// reachOf is how far a role goes when a principal of the given kind holds it.
func reachOf(g Ground, role Role, kind PrincipalKind) (reach, error) {
	published, err := availableIn(g, role.Org)
	if err != nil {
		return reach{}, err
	}
	return role.reach(published, kind), nil
}

// reach is reachOf where it is known what is published.
func (r Role) reach(published RightSet, kind PrincipalKind) reach {
	stored := SetOf(r.Rights...)
	if kind.Machine() {
		stored = stored.Intersect(MachineRights())
	}
	return reach{now: stored.Intersect(published), ever: stored.Intersect(most(r.Org))}
}

// availableIn are the rights that roles of org can allow now.
func availableIn(g Ground, org OrgID) (RightSet, error) {
	if org == SystemOrgID {
		return most(org), nil
	}
	published, err := g.PublishedRights(org)
	return SetOf(published...).Intersect(most(org)), err
}

// most is what roles of org could allow if all of it was published: the
// provider's own organization has every right, and needs no publishing.
func most(org OrgID) RightSet {
	if org == SystemOrgID {
		return AllRights()
	}
	return TenantRights()
}
