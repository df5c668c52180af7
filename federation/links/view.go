package links

import (
	"context"

	"causeway/federation/route"
	"causeway/internal/problem"
	"causeway/tenants"
)

// view shows the routing table this site for one request. It keeps the first
// error: a table that misses something because the database is away must not
// decide anything.
type view struct {
	ctx     context.Context
	links   *Links
	session tenants.Principal
	book    *route.Book // of the organization asked for last
	of      tenants.OrgID
	err     error
}

// failed keeps err unless it only says that something does not exist.
func (v *view) failed(err error) bool {
	if err != nil && !problem.Has(err, problem.NotFound) && v.err == nil {
		v.err = err
	}
	return err != nil
}

// LocalOrg, too, asks the database for nothing that the session could not reach.
func (v *view) LocalOrg(id tenants.OrgID) (string, bool) {
	if !v.session.Provider() && id != v.session.Org {
		if _, ok := v.Associations(v.session.Org).Find(v.here(id)); !ok {
			return "", false
		}
	}
	org, err := v.links.c.Orgs.Organization(v.ctx, id)
	if v.failed(err) {
		return "", false
	}
	return org.Name, true
}

// LocalOrgByName looks among all organizations for providers only. Others reach
// their own and those associated with it inside the site, and those are known
// without asking the database for every name that somebody makes up.
func (v *view) LocalOrgByName(folded string) (id tenants.OrgID, found bool) {
	if v.session.Provider() {
		org, err := v.links.c.Orgs.ByName(v.ctx, folded)
		if v.failed(err) {
			return "", false
		}
		return org.ID, true
	}
	if tenants.FoldName(v.session.OrgName) == folded {
		return v.session.Org, true
	}
	v.Associations(v.session.Org).Named(folded, func(a route.Held) {
		if a.Site == v.links.c.Self.ID && !found {
			id, found = a.Org, true
		}
	})
	return id, found
}

func (v *view) here(id tenants.OrgID) tenants.LocationID {
	return tenants.LocationID{Org: id, Site: v.links.c.Self.ID}
}

// Associations are asked for several times by one decision, which must see the
// same ones each time.
func (v *view) Associations(local tenants.OrgID) *route.Book {
	if v.book == nil || v.of != local {
		held, err := v.links.index.associations(v.ctx, local)
		v.failed(err)
		v.book, v.of = held.Book, local
	}
	return v.book
}

func (v *view) Peer(site tenants.SiteID) (route.PeerState, bool) {
	p, err := v.links.index.site(v.ctx, site)
	if v.failed(err) {
		return route.PeerState{}, false
	}
	open, retryAfter := v.links.c.Forwarder.State(site)
	return route.PeerState{Status: p.Status, Open: open, RetryAfter: retryAfter}, true
}
