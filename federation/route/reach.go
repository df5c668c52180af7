package route

import (
	"cmp"
	"slices"

	"causeway/federation"
	"causeway/tenants"
)

// target is an organization at a site that a session may ask for.
type target struct {
	tenants.LocationID
	name string
}

func (t target) decide(row Row, self tenants.SiteID) Decision {
	kind := Peer
	if t.Site == self {
		kind = Local
	}
	return Decision{Row: row, Kind: kind, Org: t.Org, OrgName: t.name, Site: t.Site}
}

// reachable finds organizations on behalf of the input's session. What it does
// not find does not exist as far as this session can tell.
type reachable struct{ Input }

// local finds an organization of this site: the session's own, for a provider
// any, for others one that is associated both ways. A half-made association
// inside the site, or one to a deleted organization, is no association.
func (r reachable) local(id tenants.OrgID) (target, bool) {
	name, ok := r.View.LocalOrg(id)
	if !ok {
		return target{}, false
	}
	t := target{tenants.LocationID{Org: id, Site: r.Self}, name}
	if r.Session.Provider || id == r.Session.Org {
		return t, true
	}
	for _, a := range r.View.Associations(r.Session.Org) {
		if a.Site == r.Self && a.Remote == id && held(a.Status) {
			return t, true
		}
	}
	return target{}, false
}

// location finds exactly what org@site says.
func (r reachable) location(l tenants.LocationID) (target, bool) {
	if l.Site == r.Self {
		return r.local(l.Org)
	}
	for _, t := range r.remotes(l.Org) {
		if t.Site == l.Site {
			return t, true
		}
	}
	return target{}, false
}

// remotes finds associated organizations at other sites by identifier. There
// can be several: the provider's organization has the same one everywhere.
func (r reachable) remotes(id tenants.OrgID) []target {
	return r.associated(func(a federation.OrgAssociation) bool { return a.Remote == id })
}

// named finds everything that has a folded name, here and elsewhere.
func (r reachable) named(name string) []target {
	found := r.associated(func(a federation.OrgAssociation) bool { return tenants.FoldName(a.RemoteName) == name })
	if id, ok := r.View.LocalOrgByName(name); ok {
		if t, ok := r.local(id); ok {
			found = append(found, t)
		}
	}
	return r.preferComplete(found)
}

// associated lists associated organizations of other sites, each once, in the
// order of their locations: associations come in no particular order, and two
// cells must say the same.
func (r reachable) associated(match func(federation.OrgAssociation) bool) []target {
	var found []target
	for _, a := range r.View.Associations(r.Session.Org) {
		if a.Site != r.Self && match(a) {
			found = append(found, target{tenants.LocationID{Org: a.Remote, Site: a.Site}, a.RemoteName})
		}
	}
	slices.SortFunc(found, byLocation)
	return slices.CompactFunc(found, func(a, b target) bool { return a.LocationID == b.LocationID })
}

// preferComplete leaves half-made associations out where anything else matches.
// Otherwise uploading the data of a site that never answers would turn a name
// that works into an ambiguous one. UNREACHABLE stays in: what a name means must
// not change with the weather.
func (r reachable) preferComplete(found []target) []target {
	complete := slices.DeleteFunc(slices.Clone(found), func(t target) bool {
		return t.Site != r.Self && r.status(t.LocationID) == federation.Asymmetric
	})
	if len(complete) > 0 {
		found = complete
	}
	slices.SortFunc(found, byLocation)
	return found
}

// status is the weaker of the organization's association and its site's: a
// missing or unheard-of one counts as not reciprocated.
func (r reachable) status(l tenants.LocationID) federation.Status {
	peer, ok := r.View.Peer(l.Site)
	if !ok || !held(peer.Status) {
		return federation.Asymmetric
	}
	status := federation.Asymmetric
	for _, a := range r.View.Associations(r.Session.Org) {
		if a.Site == l.Site && a.Remote == l.Org && held(a.Status) {
			status = a.Status
		}
	}
	if status == federation.StatusActive {
		return peer.Status
	}
	return status
}

// held reports whether both sides hold the association.
func held(s federation.Status) bool {
	return s == federation.StatusActive || s == federation.Unreachable
}

func byLocation(a, b target) int {
	return cmp.Or(cmp.Compare(a.Org, b.Org), cmp.Compare(a.Site, b.Site))
}
