package links

import (
	"context"

	"causeway/federation"
	"causeway/federation/route"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Explanation is what the routing table would decide, and by what.
type Explanation struct {
	route.Decision
	Here federation.Self
	// Site is what is known of the site that the decision names, where it is another
	// one; nil otherwise.
	Site *federation.SiteAssociation
	// Open says that connections to it fail so often that none is tried for now.
	Open bool
}

// Explain decides where a request of a session of org would be fulfilled that had
// these context headers, and sends nothing.
func (l *Links) Explain(ctx context.Context, org tenants.Organization, auth, tenant string) (Explanation, error) {
	who := tenants.Principal{Org: org.ID, OrgName: org.Name}
	view := &view{ctx: ctx, links: l, session: who}
	d := route.Decide(route.Input{
		Self: l.c.Self.ID, Session: route.Session{Org: who.Org, OrgName: who.OrgName, Provider: who.Provider()},
		AuthContext: auth, TenantContext: tenant, View: view,
	})
	e := Explanation{Decision: d, Here: l.c.Self}
	if view.err != nil || d.Site == "" || d.Site == l.c.Self.ID {
		return e, view.err
	}
	a, err := l.index.site(ctx, d.Site)
	if err == nil {
		e.Site = &a.SiteAssociation
		e.Open, _ = l.c.Forwarder.State(d.Site)
	}
	return e, ignoreAbsent(err)
}

// ignoreAbsent leaves out that something is not held: that is part of what is
// explained.
func ignoreAbsent(err error) error {
	if problem.Has(err, problem.NotFound) {
		return nil
	}
	return err
}
