package apps

import (
	"cmp"
	"context"
	"strings"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/tenants"
)

// Peers says with which sites an organization is associated. Nil is with none.
type Peers interface {
	// AssociatedSite finds a site, by its id or its name, at which an organization is
	// that org is associated with. Any other is problem.NotFound.
	AssociatedSite(ctx context.Context, org tenants.OrgID, site string) (tenants.SiteID, error)
}

// MostAdded is how many apps are added at once.
const MostAdded = 10

// Failure is what did not succeed of several things.
type Failure struct {
	ID  string
	Err *problem.Problem
}

// AddMembers adds apps to an organization with the roles that they are to hold there
// (CSP-33): its own, those of other organizations of the site, by the client id, and
// those of associated sites, as <client id>@<site>. Each succeeds or fails by itself;
// when none succeeds, the error is that of the first.
func (s *Service) AddMembers(ctx context.Context, by tenants.Caller, org tenants.OrgID, clients []string, roles []services.Grant) ([]Failure, error) {
	if len(clients) == 0 || len(clients) > MostAdded {
		return nil, problem.New(problem.BadRequest, "Between 1 and %d apps are added at once.", MostAdded)
	}
	if err := (RoleChange{Add: roles}).check(); err != nil {
		return nil, err
	}
	return each(clients, func(client string) error { return s.addMember(ctx, by, org, client, RoleChange{Add: roles}) })
}

// each does f for all, and says for which it failed. When it failed for all, or
// for a reason that is not theirs, that is the error.
func each(ids []string, f func(string) error) ([]Failure, error) {
	var failures []Failure
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		err := f(id)
		if err == nil {
			continue
		}
		p := problem.As(err)
		if p == nil || p.Code.Row().Status >= 500 || p.Code == problem.Unauthenticated {
			return nil, err
		}
		failures = append(failures, Failure{ID: id, Err: p})
	}
	if len(failures) == len(seen) {
		return failures, failures[0].Err
	}
	return failures, nil
}

func (s *Service) addMember(ctx context.Context, by tenants.Caller, org tenants.OrgID, client string, c RoleChange) error {
	app, absent := s.holderNamed(ctx, org, client)
	now := s.clock()
	return s.change(ctx, by, org, func(tx Tx, standing services.Standing) error {
		r := ruler{standing}
		if err := cmp.Or(s.mustManage(r.Standing), r.mayAssign(c), absent); err != nil {
			return err
		}
		if err := added(tx.AddMember(org, app, now.UnixMicro(), by.Principal.Name, now), client); err != nil {
			return err
		}
		g := granting{tx: tx, org: org, holder: app, by: by, now: now}
		held, err := tx.Held(org, app)
		if err != nil {
			return err
		}
		detail, err := g.run(held, c)
		if err != nil {
			return err
		}
		return g.record(journal.AppAdded, memberName(held), withSite(detail, app))
	})
}

// added says in clients' words why an app was not added.
func added(err error, client string) error {
	switch {
	case problem.Has(err, problem.NotFound):
		return noSuchApp(client)
	case problem.Has(err, problem.Conflict):
		return problem.New(problem.BadRequest, "The app %q has been added to the organization already.", client)
	}
	return err
}

func noSuchApp(client string) error {
	return problem.New(problem.NotFound, "There is no app %.300q.", client)
}

// RemoveMembers takes apps out of an organization: their tokens and accounts there
// end, and nothing else of them changes. It takes who may take each of their roles.
// Those that it could not take out are
// returned.
func (s *Service) RemoveMembers(ctx context.Context, by tenants.Caller, org tenants.OrgID, clients []string) ([]Failure, error) {
	if len(clients) == 0 || len(clients) > MostRemoved {
		return nil, problem.New(problem.BadRequest, "Between 1 and %d apps are removed at once.", MostRemoved)
	}
	if err := s.asManager(ctx, by, org, func(Tx, services.Standing) error { return nil }); err != nil {
		return nil, err
	}
	failures, err := each(clients, func(client string) error { return s.removeMember(ctx, by, org, client) })
	if problem.Has(err, problem.NotFound) && len(failures) > 0 { // which is for the answer to tell
		err = nil
	}
	return failures, err
}

// MostRemoved is how many apps are removed at once.
const MostRemoved = 200

func (s *Service) removeMember(ctx context.Context, by tenants.Caller, org tenants.OrgID, client string) error {
	app, absent := s.memberNamed(ctx, org, client)
	now := s.clock()
	return s.change(ctx, by, org, func(tx Tx, standing services.Standing) error {
		r := ruler{standing}
		if err := cmp.Or(s.mustManage(r.Standing), absent); err != nil {
			return err
		}
		g := granting{tx: tx, org: org, holder: app, by: by, now: now}
		held, err := g.hold()
		if err != nil {
			return err
		}
		if err := cmp.Or(r.mayTouch(held, now), r.mayAssign(RoleChange{Remove: liveGrants(held, now)})); err != nil {
			return err
		}
		if err := tx.RemoveMember(org, app); err != nil {
			return err
		}
		if err := services.Settle(tx, org, app, by, now); err != nil {
			return err
		}
		return g.record(journal.AppRemoved, memberName(held), withSite(nil, app))
	})
}

// Members lists the apps that were added to an organization.
func (s *Service) Members(ctx context.Context, by tenants.Caller, org tenants.OrgID, q tenants.Query) (list []Member, total int, err error) {
	err = s.view(ctx, by, org, func(r Reader, standing services.Standing) error {
		if err := s.mustManage(standing); err != nil {
			return err
		}
		list, total, err = r.Members(org, q)
		return err
	})
	return list, total, err
}

// AppRoles is what an app holds in an organization that added it.
func (s *Service) AppRoles(ctx context.Context, by tenants.Caller, org tenants.OrgID, client string) (held services.Held, err error) {
	app, absent := s.memberNamed(ctx, org, client)
	err = s.view(ctx, by, org, func(r Reader, standing services.Standing) error {
		if err := cmp.Or(s.mustManage(standing), absent); err != nil {
			return err
		}
		held, err = r.Held(org, app)
		return err
	})
	return held, err
}

// holderNamed is the app that a client id names, as <client id>@<site> when it is at
// home at another site, which must be associated.
func (s *Service) holderNamed(ctx context.Context, org tenants.OrgID, client string) (services.Holder, error) {
	id, site, foreign := strings.Cut(client, "@")
	if !ValidID(id) {
		return services.Holder{}, noSuchApp(client)
	}
	h := holder(ID(id))
	if !foreign || site == string(s.site) {
		return h, nil
	}
	refused := problem.New(problem.NotFound, "The organization is not associated with one at the site %.128q.", site)
	if s.peers == nil || !tenants.ValidName(site) {
		return h, refused
	}
	at, err := s.peers.AssociatedSite(ctx, org, site)
	if problem.Has(err, problem.NotFound) {
		return h, refused
	}
	h.Site = at
	return h, err
}

// memberNamed is holderNamed for apps that were added before: what was associated
// then is named by its id, even if it is associated no more.
func (s *Service) memberNamed(ctx context.Context, org tenants.OrgID, client string) (services.Holder, error) {
	id, site, _ := strings.Cut(client, "@")
	uuid, err := tenants.ParseUUID(site)
	if err != nil || uuid == string(s.site) || !ValidID(id) {
		return s.holderNamed(ctx, org, client)
	}
	return services.Holder{Kind: tenants.KindApp, Site: tenants.SiteID(uuid), ID: id}, nil
}

// ClientName is how clients name a holder, see holderNamed.
func ClientName(h services.Holder) string {
	if h.Site == "" {
		return h.ID
	}
	return h.ID + "@" + string(h.Site)
}

// memberName is what people know a member by.
func memberName(h services.Held) string {
	if h.Name != "" {
		return h.Name
	}
	return ClientName(h.Holder)
}

func withSite(detail map[string]string, app services.Holder) map[string]string {
	if app.Site == "" {
		return detail
	}
	if detail == nil {
		detail = map[string]string{}
	}
	detail["site"] = string(app.Site)
	return detail
}
