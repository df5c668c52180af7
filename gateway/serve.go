package gateway

import (
	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/ratelimit"
	"causeway/tenants"
)

// serve is the whole gateway. Each step either answers or hands on.
func (g *Gateway) serve(c *gin.Context, rt httpapi.Route) error {
	ctx := c.Request.Context()
	if err := httpapi.CheckVersion(c.Request); err != nil {
		return err
	}
	if in, ok := here(c); ok { // a part of a list, decided with the whole
		note(c, in.who)
		return g.fulfil(c, rt, in.who, in.target)
	}
	scope, err := httpapi.Multisite(c.Request.Header)
	if err != nil {
		return err
	}
	if !scope.Wide() && rt.List != nil && c.Query(httpapi.ParamOffsets) != "" {
		return problem.New(problem.InvalidMultisiteArgs, "The page belongs to a list at several locations: send the Accept header of the first page.")
	}
	who, err := g.authenticate(c) // who asks
	if err != nil {
		return err
	}
	note(c, who)
	target, err := g.sites.Resolve(ctx, who, c.Request.Header) // in whose organization, and where that is
	if err != nil {
		return err
	}
	if scope.Wide() && who.Via == "" { // what a peer asks is spread already, or not to be
		return g.spread(c, rt, who, target, scope)
	}
	if rt.Home && (who.Via != "" || !target.Local) {
		return problem.New(problem.Forbidden, "This is asked at the organization's own site, by those who are at home there.")
	}
	if rt.Here && !target.Local {
		return problem.New(problem.Forbidden, "What is asked for is at this site, and the organization that the context headers name is at another.")
	}
	if !target.Local {
		if !rt.Upgrade {
			c.Request.Header.Del("Upgrade")
		}
		return g.send(c, who, target) // signed; one hop, never two
	}
	return g.fulfil(c, rt, who, target)
}

// fulfil serves a request in an organization of this site.
func (g *Gateway) fulfil(c *gin.Context, rt httpapi.Route, who tenants.Principal, target federation.Target) error {
	ctx := c.Request.Context()
	org, err := g.orgs.Organization(ctx, target.Org)
	if err != nil {
		return err
	}
	httpapi.Concern(c, org.ID)
	c.Header(httpapi.HeaderServedBy, tenants.LocationID{Org: org.ID, Site: g.site}.String())
	// Authorize where the request is fulfilled: roles belong to this site, and a
	// peer's word for them is never enough.
	if err := g.authorize(c, who, org, rt); err != nil {
		return err
	}
	caller := httpapi.Anonymous(c)
	caller.Principal = who
	return rt.Do(c, httpapi.Call{Caller: caller, Org: org})
}

// send takes the request to a peer. Who serves is known here, by the peer's key,
// and does not depend on what the peer says.
func (g *Gateway) send(c *gin.Context, who tenants.Principal, to federation.Target) error {
	c.Set(keyPeer, string(to.Site))
	c.Set(keyTarget, to)
	if err := g.crosses(who, to.Site); err != nil {
		return err
	}
	httpapi.Stream(c.Writer)
	c.Header(httpapi.HeaderServedBy, tenants.LocationID{Org: to.Org, Site: to.Site}.String())
	err := g.watched(c, g.still(c, who, to, nil), func() error {
		return g.sites.Send(c.Writer, c.Request, who, to)
	})
	if err != nil { // nobody served
		c.Writer.Header().Del(httpapi.HeaderServedBy)
	}
	return err
}

// crosses spends a request between this site and another, for somebody's
// organization here.
func (g *Gateway) crosses(who tenants.Principal, site tenants.SiteID) error {
	d := g.limits.Take(ratelimit.Crossing, ratelimit.Org(who.Org), ratelimit.Peer(site))
	return d.Err()
}

func (g *Gateway) authorize(c *gin.Context, who tenants.Principal, org *tenants.Snapshot, rt httpapi.Route) error {
	if who.Kind == tenants.KindApp && !rt.Apps {
		return problem.New(problem.Forbidden, "Server-to-server apps are not served here.").With(problem.FactReason, problem.ReasonMachine)
	}
	if rt.Judge != nil {
		return rt.Judge(c, who, org)
	}
	for _, r := range rt.Rights {
		if r == httpapi.AnySession && (who.Org == org.ID || who.Provider()) {
			return nil
		}
	}
	return g.orgs.Require(c.Request.Context(), who, org.ID, rt.Rights...)
}
