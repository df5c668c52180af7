package site

import (
	"causeway/portal"
	"causeway/tenants/tenantshttp"
)

// newPortal makes the pages, which people enter by the same door as the API.
func (s *Site) newPortal(door *tenantshttp.Handler) (*portal.Portal, error) {
	return portal.New(portal.Config{
		SiteName: s.name.Get, SiteID: s.self.ID, PublicURL: s.config.Public.URL, Now: s.clock, Enter: door.OpenPortal,
		Orgs: s.directory, Tenants: s.tenants, OAuth: s.oauth, Apps: s.apps, Services: s.services, Instances: s.instances,
		Associations: s.associations, Contact: s.contact, Refusals: s.db.Refusals(), Limits: s.limits,
	})
}
