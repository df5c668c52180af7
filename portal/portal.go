// Package portal is what people see in a browser: it joins the groups of pages and
// owns the way in and out. A page calls the same rules as the API, and shows nothing
// that the API would not tell whoever looks.
package portal

import (
	"context"
	"embed"
	"io/fs"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/federation/associations"
	"causeway/federation/contact"
	"causeway/federation/links"
	"causeway/federation/roots"
	"causeway/internal/httpapi"
	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/oauth/apps"
	appspages "causeway/portal/apps"
	"causeway/portal/instances"
	"causeway/portal/machines"
	"causeway/portal/monitoring"
	"causeway/portal/orgs"
	"causeway/portal/people"
	"causeway/portal/sites"
	"causeway/portal/ui"
	"causeway/ratelimit"
	"causeway/services"
	"causeway/services/upstream"
	"causeway/tenants"
)

//go:embed templates
var files embed.FS

// Config wires a Portal.
type Config struct {
	SiteName  func() string
	SiteID    tenants.SiteID
	PublicURL string // https://host[:port], from configuration only
	Now       func() time.Time

	// Enter opens the session of a person who logs in at the provider's portal, or at
	// a tenant's.
	Enter func(c *gin.Context, login httpapi.Login, provider bool) (httpapi.Call, oauth.Tokens, error)

	// Authenticate tells whose session a token opens.
	Authenticate func(ctx context.Context, token string) (tenants.Principal, error)

	// ChangePassword gives whoever asks another password, within the limit of logins.
	ChangePassword func(c *gin.Context, call httpapi.Call, current, password secret.Text) error
	// Routes are those of the API.
	Routes []httpapi.Route

	Orgs         *tenants.Directory
	Tenants      *tenants.Service
	OAuth        *oauth.Service
	Apps         *apps.Service
	Services     *services.Service
	Instances    *upstream.Proxy
	Associations *associations.Service
	Contact      *contact.Service
	Roots        *roots.Keeper
	// ExplainRoute decides where a request with these context headers would go.
	ExplainRoute func(ctx context.Context, org tenants.Organization, auth, tenant string) (links.Explanation, error)
	Limits       *ratelimit.Limiter
	Monitoring   monitoring.Config
}

// Portal serves the pages.
type Portal struct {
	config Config
	kit    *ui.Kit
	groups []group
}

// group is pages that belong together, with their templates.
type group interface {
	Name() string
	Files() fs.FS
	Pages() []ui.Page
}

// New makes a Portal.
func New(c Config) (*Portal, error) {
	p := &Portal{config: c}
	var err error
	p.kit, err = ui.New(ui.Config{SiteName: c.SiteName, PublicURL: c.PublicURL, Allows: p.allows, Now: c.Now})
	if err != nil {
		return nil, err
	}
	if err := p.kit.Add("portal", files); err != nil {
		return nil, err
	}
	p.groups = c.groups()
	for _, g := range p.groups {
		if err := p.kit.Add(g.Name(), g.Files()); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// groups are the groups of pages, in no order that matters.
func (c Config) groups() []group {
	return []group{
		&monitoring.Pages{Config: c.Monitoring},
		appspages.Pages{Apps: c.Apps, Services: c.Services, Tenants: c.Tenants, Orgs: c.Orgs, SiteName: c.SiteName, PublicURL: c.PublicURL, Now: c.Now},
		&sites.Pages{
			Associations: c.Associations, Contact: c.Contact, Roots: c.Roots, Tenants: c.Tenants, Orgs: c.Orgs, Explain: c.ExplainRoute,
			Site: c.SiteID, SiteName: c.SiteName, PublicURL: c.PublicURL, Now: c.Now,
		},
		&machines.Pages{OAuth: c.OAuth, Tenants: c.Tenants, Now: c.Now},
		&orgs.Pages{Tenants: c.Tenants, Orgs: c.Orgs, OAuth: c.OAuth, Limits: c.Limits, PublicURL: c.PublicURL},
		&people.Pages{Tenants: c.Tenants, OAuth: c.OAuth, Orgs: c.Orgs, ChangePassword: c.ChangePassword, Routes: c.Routes},
		&instances.Pages{Services: c.Services, Health: c.Instances, Orgs: c.Orgs, Tenants: c.Tenants, PublicURL: c.PublicURL},
	}
}

// Endpoints lists what the portal serves.
func (p *Portal) Endpoints() httpapi.Endpoints {
	pages := p.ownPages()
	for _, g := range p.groups {
		pages = append(pages, g.Pages()...)
	}
	e := p.kit.Endpoints(pages)
	e.Open = append(e.Open, p.doors()...)
	e.Open = append(e.Open, p.kit.Assets())
	return e
}

// allows is how the menu knows what somebody may open. It asks what the gateway
// asks, which remembers the answer.
func (p *Portal) allows(org *tenants.Snapshot, who tenants.Principal, rights ...tenants.Right) bool {
	return slices.Contains(rights, httpapi.AnySession) || p.config.Orgs.Require(context.Background(), who, org.ID, rights...) == nil
}
