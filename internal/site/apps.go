package site

import (
	"context"
	"strings"

	"causeway/federation"
	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/oauth/apps"
	"causeway/oauth/appshttp"
	"causeway/tenants"
)

// rememberedApps are apps, and as many places where apps were added.
const rememberedApps = 50_000

// openApps readies server-to-server apps. The authenticator asks it about their
// tokens.
func (s *Site) openApps() (err error) {
	s.apps, err = apps.New(apps.Config{
		Store: s.db.Apps(), Directory: s.directory, Keys: s.keys, Signer: s.oauth, Peers: neighbours{s}, Site: s.self.ID,
		Policy: apps.Policy{
			AdminsManage: s.config.CSP.AppManagers == config.Administrators, TokenLifetime: s.config.CSP.TokenLifetime,
			RotationOverlap: s.config.CSP.RotationOverlap,
		},
		Now: s.now, Fresh: func() bool { return s.tail.Fresh() }, Remembered: rememberedApps,
	})
	return err
}

func (s *Site) appEndpoints() httpapi.Endpoints {
	return (&appshttp.Handler{
		Apps: s.apps, OAuth: s.oauth, Tokens: s.tokens, Orgs: s.directory, Limits: s.limits, Services: s.services,
		UserLife: s.config.CSP.TokenLifetime, PublicURL: s.config.Public.URL,
	}).Endpoints()
}

// neighbours are the sites with which organizations here are associated.
type neighbours struct{ site *Site }

// AssociatedSite finds one by its id, or by its name if one has that.
func (n neighbours) AssociatedSite(ctx context.Context, org tenants.OrgID, site string) (found tenants.SiteID, err error) {
	absent := problem.New(problem.NotFound, "The organization is not associated with one at such a site.")
	all, err := n.site.links.Locations(ctx, tenants.Principal{Kind: tenants.KindUser, Org: org}, federation.Location{})
	if err != nil {
		return "", err
	}
	for _, l := range all[1:] { // the first is here
		if string(l.Site) != site && !strings.EqualFold(l.SiteName, site) || l.Site == found {
			continue
		}
		if found != "" {
			return "", absent
		}
		found = l.Site
	}
	if found == "" {
		return "", absent
	}
	return found, nil
}
