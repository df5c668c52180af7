package apps

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// ChangeRoles changes what an app holds in an organization that added it.
func (s *Service) ChangeRoles(ctx context.Context, by tenants.Caller, org tenants.OrgID, client string, c RoleChange) (services.Held, error) {
	app, absent := s.memberNamed(ctx, org, client)
	return s.changeRoles(ctx, by, org, app, c, func(_ Reader, r ruler, held services.Held, now time.Time) error {
		return cmp.Or(s.mustManage(r.Standing), absent, r.mayTouch(held, now), r.mayAssign(c))
	})
}

// ChangeUserRoles changes the service and custom roles of a user. Administrators leave
// those of Owners alone.
func (s *Service) ChangeUserRoles(ctx context.Context, by tenants.Caller, org tenants.OrgID, user tenants.UserID, c RoleChange) (services.Held, error) {
	h := services.Holder{Kind: tenants.KindUser, ID: string(user)}
	return s.changeRoles(ctx, by, org, h, c, func(tx Reader, r ruler, held services.Held, now time.Time) error {
		if err := r.mayAssignPeople(by, c); err != nil || held.ID == "" {
			return err
		}
		u, err := tx.User(org, user, now)
		if err != nil {
			return err
		}
		theirs, err := rolesOfUser(tx, u, now)
		if err == nil && rank(theirs) > rank(r.Roles) {
			err = problem.New(problem.Forbidden, "The user has an organization role above the caller's.").With(problem.FactReason, problem.ReasonGives)
		}
		return err
	})
}

// rolesOfUser are the organization roles that the user's role brings. One that was
// withdrawn brings none.
func rolesOfUser(r Reader, u tenants.User, now time.Time) ([]services.OrgRole, error) {
	person := tenants.Principal{Kind: tenants.KindUser, ID: string(u.ID), Org: u.Org, Role: u.Role}
	theirs, err := services.StandingOf(r, person, u.Org, now)
	if problem.Has(err, problem.NotFound) {
		err = nil
	}
	return theirs.Roles, err
}

// changeRoles judges the caller before anything else: who may not change roles is not
// told which there are.
func (s *Service) changeRoles(ctx context.Context, by tenants.Caller, org tenants.OrgID, h services.Holder, c RoleChange,
	judge func(Reader, ruler, services.Held, time.Time) error) (after services.Held, err error) {
	if err := c.check(); err != nil {
		return after, err
	}
	now := s.clock()
	err = s.change(ctx, by, org, func(tx Tx, standing services.Standing) error {
		r := ruler{standing}
		if err := judge(tx, r, services.Held{}, now); err != nil {
			return err
		}
		g := granting{tx: tx, org: org, holder: h, by: by, now: now}
		held, err := g.hold()
		if err != nil {
			return err
		}
		if err := judge(tx, r, held, now); err != nil {
			return err
		}
		detail, err := g.run(held, c)
		if err != nil {
			return err
		}
		if after, err = tx.Held(org, h); err != nil || len(detail) == 0 {
			return err
		}
		return g.record(journal.RolesGranted, held.Name, detail)
	})
	return after, err
}

// UserRoles is what a user holds beside the user's role. Everybody sees their own.
func (s *Service) UserRoles(ctx context.Context, by tenants.Caller, org tenants.OrgID, user tenants.UserID) (held services.Held, roles []services.OrgRole, err error) {
	now := s.clock()
	err = s.view(ctx, by, org, func(r Reader, standing services.Standing) error {
		own := by.Principal.Kind.OfUser() && by.Principal.ID == string(user)
		if !own && !standing.SeesRoles() {
			return problem.New(problem.Forbidden, "Only Organization Owners, Administrators and Members see who has which role.").
				With(problem.FactReason, problem.ReasonRole)
		}
		if held, err = r.Held(org, services.Holder{Kind: tenants.KindUser, ID: string(user)}); err != nil {
			return err
		}
		u, err := r.User(org, user, now)
		if err != nil {
			return err
		}
		held.Name = u.Name
		roles, err = rolesOfUser(r, u, now)
		return err
	})
	return held, roles, err
}

// granting is a change of what somebody holds, in a transaction.
type granting struct {
	tx     Tx
	org    tenants.OrgID
	holder services.Holder
	by     tenants.Caller
	now    time.Time
}

// hold reads what the holder has, and holds it until the end of the transaction.
func (g granting) hold() (services.Held, error) {
	if err := g.tx.LockHolder(g.org, g.holder); err != nil {
		return services.Held{}, err
	}
	held, err := g.tx.Held(g.org, g.holder)
	if err == nil && g.holder.Kind == tenants.KindUser {
		var u tenants.User
		u, err = g.tx.User(g.org, tenants.UserID(g.holder.ID), g.now)
		held.Name = u.Name
	}
	return held, err
}

// run makes the change, and returns what the audit trail tells of it: nothing where
// nothing changed.
func (g granting) run(held services.Held, c RoleChange) (map[string]string, error) {
	after := held
	after.Grants = slices.Clone(held.Grants)
	var d done
	if err := g.remove(c.Remove, &after, &d); err != nil {
		return nil, err
	}
	for _, x := range ordered(c.Update) {
		if !slices.ContainsFunc(after.Grants, x.Same) {
			return nil, problem.New(problem.BadRequest, "The role %q is not held, and so cannot be changed.", x.Role)
		}
		if err := g.put(x, &after, &d.updated); err != nil {
			return nil, err
		}
	}
	for _, x := range ordered(c.Add) {
		if err := g.grantable(x); err != nil {
			return nil, err
		}
		if err := g.put(x, &after, &d.added); err != nil {
			return nil, err
		}
	}
	if len(after.Grants) > maxGrants {
		return nil, problem.New(problem.BadRequest, "Nobody holds more than %d roles in an organization.", maxGrants)
	}
	if d.nothing() {
		return nil, nil
	}
	detail, err := g.detail(after, d)
	if err != nil {
		return nil, err
	}
	return detail, services.Settle(g.tx, g.org, g.holder, g.by, g.now)
}

// remove takes roles from the holder. One without a resource is taken everywhere:
// whoever takes a role away does not mean to leave it on an instance. What is not
// held is gone already, if there is such a thing at all.
func (g granting) remove(list []services.Grant, after *services.Held, d *done) error {
	for _, x := range ordered(list) {
		covers := func(o services.Grant) bool {
			return o.Kind == x.Kind && o.Definition == x.Definition && o.Role == x.Role && (x.Resource == "" || o.Resource == x.Resource)
		}
		if !slices.ContainsFunc(after.Grants, covers) {
			if err := g.grantable(x); err != nil {
				return err
			}
			continue
		}
		for _, o := range slices.Clone(after.Grants) {
			if !covers(o) {
				continue
			}
			if _, err := g.tx.DropGrant(g.org, g.holder, o); err != nil {
				return err
			}
			d.removed = append(d.removed, o)
			after.Grants = slices.DeleteFunc(after.Grants, o.Same)
		}
	}
	return nil
}

// ordered is how rows are taken: by all in the same order.
func ordered(list []services.Grant) []services.Grant {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b services.Grant) int { return strings.Compare(a.String(), b.String()) })
	return list
}

// grantable answers nil when what x names is there.
func (g granting) grantable(x services.Grant) error {
	if err := exists(g.tx, g.org, x); err != nil || x.Kind != services.GrantCustom {
		return err
	}
	_, err := g.tx.CustomRole(g.org, x.Role)
	if problem.Has(err, problem.NotFound) {
		return problem.New(problem.BadRequest, "The organization has no custom role %.128q.", x.Role)
	}
	return err
}

func (g granting) put(x services.Grant, after *services.Held, note *[]services.Grant) error {
	if !x.Live(g.now) {
		return problem.New(problem.BadRequest, "expiresAt of the role %q is in the past.", x.Role)
	}
	if slices.Contains(after.Grants, x) {
		return nil
	}
	if err := g.tx.PutGrant(g.org, g.holder, x, g.by.Principal.Name, g.now); err != nil {
		return err
	}
	after.Grants = append(slices.DeleteFunc(after.Grants, x.Same), x)
	*note = append(*note, x)
	return nil
}

// done is what a change came to.
type done struct{ added, removed, updated []services.Grant }

func (d done) nothing() bool { return len(d.added)+len(d.removed)+len(d.updated) == 0 }

// detail is for the audit trail. Who is given everything that a service has is marked
// (CSP-27), and so are roles that do nothing (CSP-29).
func (g granting) detail(after services.Held, d done) (map[string]string, error) {
	detail := map[string]string{}
	custom, err := g.tx.CustomRoles(g.org)
	if err != nil {
		return nil, err
	}
	for name, list := range map[string][]services.Grant{
		"added": d.added, "removed": d.removed, "updated": d.updated, "inactive": after.Inactive(custom, g.now),
	} {
		if len(list) > 0 {
			detail[name] = texts(list)
		}
	}
	all, err := g.everyRole(after, d.added)
	if len(all) > 0 {
		detail["warning"] = "Every role of " + strings.Join(all, ", ") + " is assigned."
	}
	if g.holder.Site != "" {
		detail["site"] = string(g.holder.Site)
	}
	return detail, err
}

// everyRole names the services of which h holds all roles now, some of them newly.
func (g granting) everyRole(h services.Held, added []services.Grant) (names []string, err error) {
	var seen []services.DefinitionID
	for _, x := range added {
		if x.Kind != services.GrantService || slices.Contains(seen, x.Definition) {
			continue
		}
		seen = append(seen, x.Definition)
		d, err := g.tx.Definition(x.Definition)
		if err != nil {
			return nil, err
		}
		lacks := func(r services.ServiceRole) bool {
			return !slices.ContainsFunc(h.Grants, func(o services.Grant) bool { return o.Definition == d.ID && o.Role == r.Name && o.Live(g.now) })
		}
		if !slices.ContainsFunc(d.Roles, lacks) {
			names = append(names, d.Name)
		}
	}
	return names, nil
}

func texts(list []services.Grant) string {
	names := make([]string, len(list))
	for i, g := range list {
		names[i] = g.String()
	}
	slices.Sort(names)
	text, _ := json.Marshal(names) // strings always marshal
	return string(text)
}

// record writes what was done with the holder into the journal.
func (g granting) record(action journal.Action, name string, detail map[string]string) error {
	kind := journal.KindApp
	if g.holder.Kind == tenants.KindUser {
		kind = journal.KindUser
	}
	return g.tx.Record(journal.Entry{
		At: g.now, Org: string(g.org), Actor: g.by.Actor(), Action: action,
		Subject:   journal.Subject{Kind: kind, ID: g.holder.ID, Name: name},
		RequestID: g.by.RequestID, Source: g.by.Address, Detail: detail,
	})
}
