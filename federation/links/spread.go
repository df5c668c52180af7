package links

import (
	"context"
	"net/http"

	"causeway/federation"
	"causeway/federation/route"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Spread lists where else a list can be read for an organization: those that it
// is associated with, inside the site or beyond. Associations that the other side
// has not confirmed are none; the status says which of the others is worth a try.
func (l *Links) Spread(ctx context.Context, who tenants.Principal, org tenants.OrgID) ([]federation.Place, error) {
	if who.Via != "" || who.Kind == tenants.KindAPIToken {
		return nil, nil
	}
	held, err := l.index.associations(ctx, org)
	if err != nil {
		return nil, err
	}
	var places []federation.Place
	for i := range held.Len() {
		a := held.At(i)
		status, err := l.standing(ctx, a)
		if err != nil {
			return nil, err
		}
		if status != federation.Asymmetric {
			places = append(places, federation.Place{
				Target: federation.Target{Org: a.Org, OrgName: a.Name, Site: a.Site, Local: a.Site == l.c.Self.ID}, Status: status,
			})
		}
	}
	return places, nil
}

// standing is the weaker of an association's status and its site's. An open
// breaker knows before the status does that a site is away.
func (l *Links) standing(ctx context.Context, a route.Held) (federation.Status, error) {
	if a.Site == l.c.Self.ID || a.Status == federation.Asymmetric || a.Status == federation.StatusError {
		return a.Status, nil
	}
	site, err := l.index.site(ctx, a.Site)
	switch {
	case problem.Has(err, problem.NotFound):
		return federation.Asymmetric, nil
	case err != nil:
		return "", err
	case site.Status != federation.StatusActive:
		return site.Status, nil
	}
	if open, _ := l.c.Forwarder.State(a.Site); open {
		return federation.Unreachable, nil
	}
	return a.Status, nil
}

// Within says who somebody is in an organization of this site that theirs is
// associated with, by the rules for other sites. Both sides must hold the
// association here, too.
func (l *Links) Within(ctx context.Context, who tenants.Principal, to tenants.OrgID) (tenants.Principal, error) {
	subject, err := subjectType(who.Kind)
	if err != nil {
		return tenants.Principal{}, err
	}
	home := tenants.LocationID{Org: who.Org, Site: l.c.Self.ID}
	held, err := l.index.between(ctx, to, home)
	if err != nil {
		return tenants.Principal{}, err
	}
	if _, err := l.index.between(ctx, who.Org, tenants.LocationID{Org: to, Site: l.c.Self.ID}); err != nil {
		return tenants.Principal{}, err
	}
	is, err := l.admit(ctx, who.Org, to, held, someone{subject: subject, name: subjectName(who), softwareID: who.SoftwareID, idp: idpLocal})
	is.Via = l.c.Self.ID
	return is, err
}

// Fetch asks a target's site on somebody's behalf. r says what: its method is
// GET, and its headers are all that goes there besides the assertion. It asks
// only where both sides hold the association that lets the principal in.
func (l *Links) Fetch(r *http.Request, who tenants.Principal, to federation.Target) (*http.Response, error) {
	through := tenants.LocationID{Org: to.Org, Site: to.Site}
	if who.Provider() { // comes in through the provider's organization there
		through.Org = tenants.SystemOrgID
	}
	if _, err := l.index.between(r.Context(), who.Org, through); err != nil {
		return nil, err
	}
	site, token, err := l.assert(r, who, to)
	if err != nil {
		return nil, err
	}
	res, err := l.c.Forwarder.Fetch(r, l.target(site), token)
	return res, l.misled(who, to, err)
}
