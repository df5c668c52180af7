package route

import (
	"strings"

	"causeway/federation"
	"causeway/tenants"
)

const (
	self  = tenants.SiteID("00000000-0000-4000-8000-00000000000a")
	siteB = tenants.SiteID("00000000-0000-4000-8000-00000000000b")
	siteC = tenants.SiteID("00000000-0000-4000-8000-00000000000c")

	acme     = tenants.OrgID("10000000-0000-4000-8000-000000000001") // the tenant session's
	shared   = tenants.OrgID("10000000-0000-4000-8000-000000000002") // local, maybe associated
	hidden   = tenants.OrgID("10000000-0000-4000-8000-000000000003") // local, never associated
	remoteB  = tenants.OrgID("20000000-0000-4000-8000-00000000000b")
	remoteC  = tenants.OrgID("20000000-0000-4000-8000-00000000000c")
	nowhere  = tenants.OrgID("90000000-0000-4000-8000-000000000009")
	sysOrgID = tenants.SystemOrgID
)

// world is a View made of plain maps.
type world struct {
	orgs   map[tenants.OrgID]string
	assocs []federation.OrgAssociation
	peers  map[tenants.SiteID]PeerState
}

func newWorld() *world {
	return &world{
		orgs: map[tenants.OrgID]string{
			sysOrgID: "System", acme: "Acme", shared: "Shared", hidden: "Hidden",
		},
		peers: map[tenants.SiteID]PeerState{
			siteB: {Status: federation.StatusActive}, siteC: {Status: federation.StatusActive},
		},
	}
}

func (w *world) associate(local, remote tenants.OrgID, name string, site tenants.SiteID, s federation.Status) *world {
	w.assocs = append(w.assocs, federation.OrgAssociation{
		Local: local, Remote: remote, RemoteName: name, Site: site, Status: s,
	})
	return w
}

func (w *world) LocalOrg(id tenants.OrgID) (string, bool) { n, ok := w.orgs[id]; return n, ok }

func (w *world) LocalOrgByName(folded string) (tenants.OrgID, bool) {
	for id, name := range w.orgs {
		if strings.ToLower(name) == folded {
			return id, true
		}
	}
	return "", false
}

func (w *world) Associations(local tenants.OrgID) *Book { return NewBook(w.associations(local)) }

func (w *world) associations(local tenants.OrgID) []federation.OrgAssociation {
	var found []federation.OrgAssociation
	for _, a := range w.assocs {
		if a.Local == local {
			found = append(found, a)
		}
	}
	return found
}

func (w *world) Peer(site tenants.SiteID) (PeerState, bool) { p, ok := w.peers[site]; return p, ok }

var (
	tenantSession   = Session{Org: acme, OrgName: "Acme"}
	providerSession = Session{Org: sysOrgID, OrgName: "System", Provider: true}
)

func at(org tenants.OrgID, site tenants.SiteID) string {
	return tenants.LocationID{Org: org, Site: site}.String()
}
