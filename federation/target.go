package federation

import "causeway/tenants"

// Target is where a request is to be fulfilled.
type Target struct {
	Org     tenants.OrgID
	OrgName string
	Site    tenants.SiteID
	Local   bool
}

// Place is an organization that another one is associated with, and how the
// association stands.
type Place struct {
	Target
	Status Status
}

// Location is an organization at a site where a session may act.
type Location struct {
	tenants.LocationID
	SiteName string
	OrgName  string
	Rest     string // https://host[:port]/api
	UI       string
}
