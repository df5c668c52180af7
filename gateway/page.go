package gateway

import (
	"strings"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// page serves the portal: the same steps as [Gateway.serve], for people. What they
// do stays at this site, for a page of another one is that site's to show.
func (g *Gateway) page(page httpapi.PortalPage, draw func(*gin.Context, *problem.Problem)) gin.HandlerFunc {
	return func(c *gin.Context) {
		httpapi.KeepRefusals(c, g)
		httpapi.DrawFailures(c, draw)
		if err := g.servePage(c, page); err != nil {
			g.fail(c, err)
		}
	}
}

func (g *Gateway) servePage(c *gin.Context, page httpapi.PortalPage) error {
	ctx := c.Request.Context()
	if _, peer := fromPeer(ctx); peer {
		return unknownPath()
	}
	if err := g.origins.Check(c.Request); err != nil {
		return err
	}
	who, err := g.person(c)
	if err != nil {
		return err
	}
	note(c, who)
	org, err := g.pageOrg(c, who)
	if err != nil {
		return err
	}
	httpapi.Concern(c, org.ID)
	if err := g.authorize(c, who, org, httpapi.Route{Rights: page.Rights}); err != nil {
		return err
	}
	caller := httpapi.Anonymous(c)
	caller.Principal = who
	return page.Do(c, httpapi.Call{Caller: caller, Org: org})
}

// person tells who asks by the browser's cookie, and by nothing else: the portal is
// for people, and what a script can put into a header is no sign of one.
func (g *Gateway) person(c *gin.Context) (tenants.Principal, error) {
	token := httpapi.SessionToken(c.Request)
	if token == "" || secret.IsLegacyToken(token) {
		return tenants.Principal{}, noToken()
	}
	who, err := g.tokens.Authenticate(c.Request.Context(), token)
	if err == nil && who.Kind != tenants.KindUser {
		err = noToken()
	}
	return who, err
}

// pageOrg is the organization of the path. To whom it is closed it looks like one
// that is not there.
func (g *Gateway) pageOrg(c *gin.Context, who tenants.Principal) (*tenants.Snapshot, error) {
	ctx := c.Request.Context()
	name := c.Param("org")
	if name == "" {
		if !who.Provider() {
			return nil, problem.New(problem.Forbidden, "This is the provider's portal; yours is that of organization %s.", who.OrgName)
		}
		return g.orgs.Organization(ctx, tenants.SystemOrgID)
	}
	org, err := g.orgs.ByName(ctx, name)
	if err == nil && (org.System() || (org.ID != who.Org && !who.Provider())) {
		return nil, problem.New(problem.NotFound, "There is no such organization.")
	}
	return org, err
}

// nowhere serves what no route does: instances, and for people who mistyped the
// address of a page one that says so.
func (g *Gateway) nowhere(draw func(*gin.Context, *problem.Problem)) gin.HandlerFunc {
	return func(c *gin.Context) {
		path := c.Request.URL.Path
		if draw != nil && (strings.HasPrefix(path, "/provider/") || strings.HasPrefix(path, "/tenant/")) {
			httpapi.DrawFailures(c, draw)
		}
		g.instance(c)
	}
}
