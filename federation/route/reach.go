package route

import (
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
	a, ok := r.View.Associations(r.Session.Org).get(t.LocationID)
	return t, ok && held(a.Status)
}

// location finds exactly what org@site says.
func (r reachable) location(l tenants.LocationID) (target, bool) {
	if l.Site == r.Self {
		return r.local(l.Org)
	}
	a, ok := r.View.Associations(r.Session.Org).get(l)
	return target{l, a.Name}, ok
}

// tenantOf finds the organization of another site's tenant that a provider names
// as org@site. Only the provider's organization there is associated with ours;
// whether the tenant exists, and what may be done in it, that site decides.
func (r reachable) tenantOf(l tenants.LocationID) (target, bool) {
	if !r.Session.Provider || l.Site == r.Self || l.Org == tenants.SystemOrgID {
		return target{}, false
	}
	_, ok := r.View.Associations(r.Session.Org).get(tenants.LocationID{Org: tenants.SystemOrgID, Site: l.Site})
	return target{l, ""}, ok
}

// remotes finds associated organizations at other sites by identifier. There
// can be several: the provider's organization has the same one everywhere.
func (r reachable) remotes(id tenants.OrgID) (found []target) {
	r.View.Associations(r.Session.Org).ofOrg(id, r.elsewhere(&found))
	return found
}

// named finds everything that has a folded name, here and elsewhere.
func (r reachable) named(name string) (found []target) {
	r.View.Associations(r.Session.Org).Named(name, r.elsewhere(&found))
	if id, ok := r.View.LocalOrgByName(name); ok {
		if t, ok := r.local(id); ok {
			found = append(found, t)
		}
	}
	return r.preferComplete(found)
}

// elsewhere collects what is at other sites.
func (r reachable) elsewhere(found *[]target) func(Held) {
	return func(a Held) {
		if a.Site != r.Self {
			*found = append(*found, target{a.location(), a.Name})
		}
	}
}

// preferComplete leaves half-made associations out where anything else matches.
// Otherwise uploading the data of a site that never answers would turn a name
// that works into an ambiguous one. UNREACHABLE and ERROR stay in: what a name
// means must not change with the weather, or a request would go to a namesake
// while its own site is ill.
func (r reachable) preferComplete(found []target) []target {
	if len(found) < 2 {
		return found
	}
	complete := slices.DeleteFunc(slices.Clone(found), func(t target) bool {
		return t.Site != r.Self && r.halfMade(t.LocationID)
	})
	if len(complete) > 0 {
		found = complete
	}
	slices.SortFunc(found, byLocation)
	return found
}

// halfMade reports whether the other side is not known to hold the association,
// or that of its site.
func (r reachable) halfMade(l tenants.LocationID) bool {
	peer, ok := r.View.Peer(l.Site)
	a, held := r.View.Associations(r.Session.Org).get(l)
	return !ok || !held || peer.Status == federation.Asymmetric || a.Status == federation.Asymmetric
}

// status is the weaker of the organization's association and its site's: a
// missing or unheard-of one counts as not reciprocated.
func (r reachable) status(l tenants.LocationID) federation.Status {
	peer, ok := r.View.Peer(l.Site)
	if !ok || !held(peer.Status) {
		return federation.Asymmetric
	}
	a, ok := r.View.Associations(r.Session.Org).get(l)
	if !ok || !held(a.Status) {
		return federation.Asymmetric
	}
	if a.Status == federation.StatusActive {
		return peer.Status
	}
	return a.Status
}

// held reports whether both sides hold the association.
func held(s federation.Status) bool {
	return s == federation.StatusActive || s == federation.Unreachable
}

func byLocation(a, b target) int { return compareLocations(a.LocationID, b.LocationID) }
