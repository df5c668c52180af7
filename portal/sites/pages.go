// Package sites are the pages about other sites: which there are and how they are
// doing, the associations of sites and organizations, where a request would go, and
// the keys that prove this site.
package sites

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"time"

	"causeway/federation/associations"
	"causeway/federation/contact"
	"causeway/federation/links"
	"causeway/federation/roots"
	"causeway/internal/httpapi"
	"causeway/portal/ui"
	"causeway/tenants"
)

//go:embed all:templates
var files embed.FS

// Pages are about sites.
type Pages struct {
	Associations *associations.Service
	Contact      *contact.Service
	Roots        *roots.Keeper
	Tenants      *tenants.Service
	Orgs         *tenants.Directory
	Explain      func(ctx context.Context, org tenants.Organization, auth, tenant string) (links.Explanation, error)
	Site         tenants.SiteID
	SiteName     func() string
	PublicURL    string // https://host[:port], from configuration only
	Now          func() time.Time
}

// Name is the group's.
func (p *Pages) Name() string { return "sites" }

// Files are the templates.
func (p *Pages) Files() fs.FS { return files }

var (
	viewSites   = []tenants.Right{tenants.RightSiteView, tenants.RightSiteManage}
	manageSites = []tenants.Right{tenants.RightSiteManage}
	viewOrgs    = []tenants.Right{tenants.RightOrgAssociationsView, tenants.RightOrgAssociationsManage}
	manageOrgs  = []tenants.Right{tenants.RightOrgAssociationsManage}
	orgSettings = []tenants.Right{tenants.RightOrgAssociationsSettings}
	auditTrail  = []tenants.Right{tenants.RightAuditView, tenants.RightAdministratorView}
)

// Pages lists what the group serves.
func (p *Pages) Pages() []ui.Page {
	pages := append(p.sitePages(), p.orgPages()...)
	return append(pages,
		ui.Page{Path: "/multisite/explain", Rights: []tenants.Right{httpapi.AnySession}, Do: p.explain,
			Menu: &ui.Menu{Section: ui.Multisite, Key: "explainroute", Order: 30, Icon: "explain"}},
		ui.Page{Path: "/multisite/keys", In: ui.Provider, Rights: viewSites, Do: p.keys,
			Menu: &ui.Menu{Section: ui.Multisite, Key: "rootkeys", Order: 40, Icon: "key"}},
		ui.Page{Path: "/multisite/keys/rotate", In: ui.Provider, Rights: manageSites, Do: p.askRotate},
		ui.Page{Method: http.MethodPost, Path: "/multisite/keys/rotate", In: ui.Provider, Rights: manageSites, Do: p.rotate},
		ui.Page{Path: "/multisite/keys/:fingerprint/retire", In: ui.Provider, Rights: manageSites, Do: p.askRetire},
		ui.Page{Method: http.MethodPost, Path: "/multisite/keys/:fingerprint/retire", In: ui.Provider, Rights: manageSites, Do: p.retire},
	)
}

func (p *Pages) sitePages() []ui.Page {
	const one = "/multisite/sites/:site"
	page := func(method, path string, rights []tenants.Right, do func(*ui.Screen) error) ui.Page {
		return ui.Page{Method: method, Path: path, In: ui.Provider, Rights: rights, Do: do}
	}
	get, post := http.MethodGet, http.MethodPost
	overview := page(get, "/multisite/sites", viewSites, p.overview)
	overview.Menu = &ui.Menu{Section: ui.Multisite, Key: "sites", Order: 10, Icon: "site"}
	return []ui.Page{
		overview,
		page(get, "/multisite/site/data", viewSites, p.siteData),
		page(get, "/multisite/site/name", manageSites, p.showRename),
		page(post, "/multisite/site/name", manageSites, p.rename),
		page(get, "/multisite/associate", manageSites, p.showAssociate),
		page(post, "/multisite/associate", manageSites, p.reviewSite),
		page(post, "/multisite/associate/confirm", manageSites, p.associateSite),
		page(get, one, viewSites, p.site),
		page(get, one+"/networks", manageSites, p.showNetworks),
		page(post, one+"/networks", manageSites, p.setNetworks),
		page(get, one+"/key", manageSites, p.showSiteKey),
		page(post, one+"/key", manageSites, p.reviewSiteKey),
		page(post, one+"/key/confirm", manageSites, p.replaceSiteKey),
		page(get, one+"/remove", manageSites, p.askRemoveSite),
		page(post, one+"/remove", manageSites, p.removeSite),
	}
}

func (p *Pages) orgPages() []ui.Page {
	const all = "/multisite/organizations"
	const one = all + "/:remote"
	page := func(method, path string, rights []tenants.Right, do func(*ui.Screen) error) ui.Page {
		return ui.Page{Method: method, Path: path, Rights: rights, Do: do}
	}
	get, post := http.MethodGet, http.MethodPost
	list := page(get, all, viewOrgs, p.orgs)
	list.Menu = &ui.Menu{Section: ui.Multisite, Key: "orgassociations", Order: 20, Icon: "org"}
	return []ui.Page{
		list,
		page(get, all+"/data", viewOrgs, p.orgData),
		page(get, all+"/associate", manageOrgs, p.showAssociateOrg),
		page(post, all+"/associate", manageOrgs, p.reviewOrg),
		page(post, all+"/associate/confirm", manageOrgs, p.associateOrg),
		page(get, one, viewOrgs, p.org),
		page(get, one+"/settings", orgSettings, p.showSettings),
		page(post, one+"/settings", orgSettings, p.setSettings),
		page(get, one+"/key", manageOrgs, p.showOrgKey),
		page(post, one+"/key", manageOrgs, p.reviewOrgKey),
		page(post, one+"/key/confirm", manageOrgs, p.replaceOrgKey),
		page(get, one+"/remove", manageOrgs, p.askRemoveOrg),
		page(post, one+"/remove", manageOrgs, p.removeOrg),
	}
}
