package apps

import (
	"time"

	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// judging is what decides who of an app's owner may do what with it.
type judging struct {
	tx   Tx
	r    ruler
	by   tenants.Caller
	id   ID
	held services.Held // in the owner; nothing unless it was added there
	now  time.Time
}

// judged is an app of its owner org, held for the transaction, which the caller may
// touch: nobody touches what was given more than they have. What other organizations
// give it is not asked here, or they could keep its owner from ending it.
func judged(tx Tx, standing services.Standing, by tenants.Caller, org tenants.OrgID, id ID, now time.Time) (*judging, App, error) {
	if err := tx.LockApp(org, id); err != nil {
		return nil, App{}, err
	}
	a, err := tx.App(org, id)
	if err != nil {
		return nil, App{}, err
	}
	held, err := tx.Held(org, holder(id))
	if err != nil && !problem.Has(err, problem.NotFound) {
		return nil, App{}, err
	}
	j := &judging{tx: tx, r: ruler{standing}, by: by, id: id, held: held, now: now}
	return j, a, j.r.mayTouch(held, now)
}

// mayReach refuses who would get at more, in any organization, than they have: what
// others give counts as far as the app's owner allows it.
func (j *judging) mayReach(a App) error {
	if rank(j.r.Roles) == rankOwner {
		return nil
	}
	elsewhere, err := j.tx.OrgRolesElsewhere(a.Org, a.ID, j.now)
	if err != nil {
		return err
	}
	if rank(a.Ceiling.AllowedOrgRoles(elsewhere)) > rank(j.r.Roles) {
		return outranked()
	}
	return nil
}

// own reports whether the caller is the app.
func (j *judging) own() bool {
	p := j.by.Principal
	return p.Kind == tenants.KindApp && p.Via == "" && p.ID == string(j.id)
}

// mayLearnSecret refuses apps that would become another which has more than they may
// give.
func (j *judging) mayLearnSecret() error {
	if j.by.Principal.Kind != tenants.KindApp || j.own() {
		return nil
	}
	return j.r.mayAssign(RoleChange{Add: j.live()})
}

// mayBound refuses apps that would lift their own bounds, and whoever would, by other
// bounds, give roles that they may not give.
func (j *judging) mayBound(before, after services.Ceiling) error {
	if j.own() && !after.Within(before) {
		return problem.New(problem.Forbidden, "An app does not widen its own allowedScopes.").With(problem.FactReason, problem.ReasonRole)
	}
	return j.r.mayAssign(RoleChange{Add: j.held.Activated(before, after, j.now)})
}

// live is what the app holds in its owner, also beyond its bounds.
func (j *judging) live() []services.Grant { return liveGrants(j.held, j.now) }

func liveGrants(h services.Held, now time.Time) (list []services.Grant) {
	for _, g := range h.Grants {
		if g.Live(now) {
			list = append(list, g)
		}
	}
	return list
}
