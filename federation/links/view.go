package links

import (
	"context"

	"causeway/federation"
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
	if !v.session.Provider() && id != v.session.Org && !v.associatedHere(func(a federation.OrgAssociation) bool { return a.Remote == id }) {
		return "", false
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
func (v *view) LocalOrgByName(folded string) (tenants.OrgID, bool) {
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
	var id tenants.OrgID
	found := v.associatedHere(func(a federation.OrgAssociation) bool {
		id = a.Remote
		return tenants.FoldName(a.RemoteName) == folded
	})
	if !found {
		return "", false
	}
	return id, true
}

// associatedHere finds an association of the session's organization inside the
// site.
func (v *view) associatedHere(match func(federation.OrgAssociation) bool) bool {
	for _, a := range v.Associations(v.session.Org) {
		if a.Site == v.links.c.Self.ID && match(a) {
			return true
		}
	}
	return false
}

func (v *view) Associations(local tenants.OrgID) []federation.OrgAssociation {
	list, err := v.links.index.associations(v.ctx, local)
	v.failed(err)
	held := make([]federation.OrgAssociation, len(list))
	for i, a := range list {
		held[i] = a.OrgAssociation
	}
	return held
}

func (v *view) Peer(site tenants.SiteID) (route.PeerState, bool) {
	p, err := v.links.index.site(v.ctx, site)
	if v.failed(err) {
		return route.PeerState{}, false
	}
	open, retryAfter := v.links.c.Forwarder.State(site)
	return route.PeerState{Status: p.Status, Open: open, RetryAfter: retryAfter}, true
}
