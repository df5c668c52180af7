package site

import (
	"causeway/internal/httpapi"
	"causeway/portal"
	"causeway/tenants/tenantshttp"
)

// newPortal makes the pages, which people enter by the same door as the API; routes
// are those of the API.
func (s *Site) newPortal(door *tenantshttp.Handler, routes []httpapi.Route) (*portal.Portal, error) {
	return portal.New(portal.Config{
		SiteName: s.name.Get, SiteID: s.self.ID, PublicURL: s.config.Public.URL, Now: s.clock, Enter: door.OpenPortal,
		Authenticate: s.tokens.Authenticate, ChangePassword: door.ChangePassword, Routes: routes,
		Orgs: s.directory, Tenants: s.tenants, OAuth: s.oauth, Apps: s.apps, Services: s.services, Instances: s.instances,
		Associations: s.associations, Contact: s.contact, Roots: s.roots, ExplainRoute: s.links.Explain, Limits: s.limits,
		Monitoring: s.monitoring(),
	})
}
