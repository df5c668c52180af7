package links

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"causeway/federation"
	"causeway/federation/assertion"
	"causeway/federation/direct"
	"causeway/federation/peer"
	"causeway/federation/route"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Direct says who shows an access token of another site here, in the local
// organization that the context headers name. It counts only where that
// organization's association with the token's says so, and while the session
// stands at home, which is asked.
//
// A token that does not count, for whatever reason, is problem.Unauthenticated:
// nobody learns which organizations are here or with whom they are associated.
func (l *Links) Direct(ctx context.Context, token string, h http.Header) (tenants.Principal, error) {
	auth, tenant, err := route.Contexts(h)
	if err != nil {
		return tenants.Principal{}, err
	}
	if auth == "" && tenant == "" {
		return tenants.Principal{}, notOurs()
	}
	t, err := direct.Parse(token)
	if err != nil {
		return tenants.Principal{}, notOurs()
	}
	site, ok := l.siteAt(t.Origin())
	if !ok {
		return tenants.Principal{}, notOurs()
	}
	if err := l.speaks(ctx, site); err != nil {
		if problem.Has(err, problem.Forbidden) {
			err = notOurs()
		}
		return tenants.Principal{}, err
	}
	home := tenants.LocationID{Org: t.Org(), Site: site}
	here, err := l.entrance(ctx, home, auth, tenant)
	if problem.Has(err, problem.Unauthenticated) {
		// Nobody who made a token up learns by the time it takes who takes whose.
		l.c.Introspector.Check(ctx, site, t)
	}
	if err != nil {
		return tenants.Principal{}, err
	}
	held, err := l.index.between(ctx, here, home)
	if err != nil || !held.direct {
		return tenants.Principal{}, unlessFault(err)
	}
	a, err := l.c.Introspector.Judge(ctx, site, token, t, here)
	if err != nil {
		return tenants.Principal{}, err
	}
	dst, err := l.destination(ctx, here, auth, tenant)
	if err != nil {
		return tenants.Principal{}, err
	}
	who, err := l.admit(ctx, home.Org, dst, held, someone{subject: subjectOf(a.Kind), name: a.Name, softwareID: a.SoftwareID, idp: a.IdP})
	if err != nil {
		return tenants.Principal{}, err
	}
	who.Via = site
	return who, nil
}

// Foreign reports whether a token says that an associated site issued it. It
// believes nothing and asks nobody.
func (l *Links) Foreign(token string) bool {
	if l.c.Introspector == nil {
		return false
	}
	t, err := direct.Parse(token)
	if err != nil {
		return false
	}
	_, ok := l.siteAt(t.Origin())
	return ok
}

func notOurs() error {
	return problem.New(problem.Unauthenticated, "The token is missing, expired or not valid.")
}

// unlessFault makes one answer of all that only says no.
func unlessFault(err error) error {
	if err == nil || problem.Has(err, problem.Forbidden) || problem.Has(err, problem.NotFound) {
		return notOurs()
	}
	return err
}

func subjectOf(kind string) assertion.SubjectType {
	switch tenants.PrincipalKind(kind) {
	case tenants.KindServiceAccount:
		return assertion.ServiceAccount
	case tenants.KindApp:
		return assertion.App
	}
	return assertion.User
}

// entrance is the local organization that the headers name among those that take
// tokens of home. It looks at no other, so that an organization which is not
// associated costs what a name costs that somebody made up.
func (l *Links) entrance(ctx context.Context, home tenants.LocationID, auth, tenant string) (tenants.OrgID, error) {
	locals, err := l.index.directLocals(ctx, home)
	if err != nil {
		return "", err
	}
	if home.Org == tenants.SystemOrgID { // comes in through ours, whichever tenant it is about
		for _, org := range locals {
			if org == tenants.SystemOrgID {
				return org, nil
			}
		}
		return "", notOurs()
	}
	for _, id := range locals {
		org, err := l.c.Orgs.Organization(ctx, id)
		if problem.Has(err, problem.NotFound) {
			continue
		}
		if err != nil {
			return "", err
		}
		named, err := route.Names(auth, tenant, tenants.LocationID{Org: id, Site: l.c.Self.ID}, org.Name)
		if err != nil {
			return "", err
		}
		if named {
			return id, nil
		}
	}
	return "", notOurs()
}

// destination is where a principal that came in through here wants to act: there,
// or for the other site's provider in the tenant that the headers name.
func (l *Links) destination(ctx context.Context, here tenants.OrgID, auth, tenant string) (tenants.OrgID, error) {
	if here != tenants.SystemOrgID {
		return here, nil
	}
	provider := tenants.Principal{Org: tenants.SystemOrgID, OrgName: tenants.SystemOrgName}
	view := &view{ctx: ctx, links: l, session: provider}
	d := route.Decide(route.Input{
		Self: l.c.Self.ID, Session: route.Session{Org: provider.Org, OrgName: provider.OrgName, Provider: true},
		AuthContext: auth, TenantContext: tenant, View: view,
	})
	switch {
	case view.err != nil:
		return "", view.err
	case d.Kind == route.Refuse:
		return "", d.Problem
	case d.Kind == route.Peer: // its own site takes it there
		return "", problem.New(problem.Forbidden, "A token of another site counts for organizations of this one only.").
			With(problem.FactReason, problem.ReasonNoAssoc)
	}
	return d.Org, nil
}

// Still says who somebody is now whom a site vouched for, for what takes long: the
// associations must hold, and our own record must be the same.
func (l *Links) Still(ctx context.Context, who tenants.Principal) (tenants.Principal, error) {
	if err := l.speaks(ctx, who.Via); err != nil {
		return tenants.Principal{}, err
	}
	held, err := l.index.between(ctx, who.Org, who.Home)
	if err != nil {
		return tenants.Principal{}, err
	}
	s := someone{subject: subjectOf(string(who.Kind)), name: who.Name, softwareID: who.SoftwareID, idp: idpLocal}
	now, err := l.admit(ctx, who.Home.Org, who.Place(), held, s)
	if err != nil {
		return tenants.Principal{}, err
	}
	if now.ID != who.ID {
		return tenants.Principal{}, problem.New(problem.Forbidden, "The account is another one now.").With(problem.FactReason, problem.ReasonNoCounter)
	}
	now.Via = who.Via
	return now, nil
}

// MayIntrospect answers nil while organizations of ours may act in one of a site:
// then that site may ask about their sessions.
func (l *Links) MayIntrospect(ctx context.Context, from tenants.SiteID, ours, theirs tenants.OrgID) error {
	if err := l.speaks(ctx, from); err != nil {
		return err
	}
	_, err := l.index.between(ctx, ours, tenants.LocationID{Org: theirs, Site: from})
	return err
}

// IdPLocal is how this site's users are known at others.
const IdPLocal = idpLocal

// Ask sends what this site asks another on its own behalf, guarded by the peer's
// breaker: see direct.Ask.
func (l *Links) Ask(ctx context.Context, id tenants.SiteID, method, path string, body []byte, limit int64) (int, []byte, error) {
	site, err := l.index.site(ctx, id)
	if err != nil {
		return 0, nil, err
	}
	via, err := l.c.Forwarder.RoundTripper(l.target(site))
	if err != nil {
		return 0, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, "https://"+string(id)+path, bytes.NewReader(body)) // the host is never resolved
	if err != nil {
		return 0, nil, err
	}
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := via.RoundTrip(r)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, limit))
	return res.StatusCode, answer, err
}

// siteAt finds the associated site with an origin, from memory alone: strangers
// make origins up.
func (l *Links) siteAt(origin string) (tenants.SiteID, bool) {
	origins := l.origins.Load()
	if origins == nil {
		return "", false
	}
	site, ok := (*origins)[origin]
	return site, ok
}

// originsOf are the sites by origin. Of two that say they have the same one
// neither counts: the token of one must not be asked about at the other.
func originsOf(held []federation.SiteAssociation) *map[string]tenants.SiteID {
	origins, twice := map[string]tenants.SiteID{}, map[string]bool{}
	for _, a := range held {
		origin := peer.Origin(a.RestEndpoint)
		if _, taken := origins[origin]; taken || origin == "" {
			twice[origin] = true
			continue
		}
		origins[origin] = a.Site
	}
	for origin := range twice {
		delete(origins, origin)
	}
	return &origins
}
