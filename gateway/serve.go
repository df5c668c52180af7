package gateway

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/internal/hop"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/ratelimit"
	"causeway/services"
	"causeway/services/upstream"
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
	if err := g.authorize(c, who, org, rt.Apps, rt.Rights); err != nil {
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

func (g *Gateway) authorize(c *gin.Context, who tenants.Principal, org *tenants.Snapshot, apps bool, rights []tenants.Right) error {
	if who.Kind == tenants.KindApp && !apps {
		return problem.New(problem.Forbidden, "Server-to-server apps are not served here.").With(problem.FactReason, problem.ReasonMachine)
	}
	for _, r := range rights {
		if r == httpapi.AnySession && (who.Org == org.ID || who.Provider()) {
			return nil
		}
	}
	return g.orgs.Require(c.Request.Context(), who, org.ID, rights...)
}

// instance serves what no endpoint of ours claims: the services behind the
// gateway. Which right a call needs is theirs to say; a call they have no rule
// for is refused to everybody.
func (g *Gateway) instance(c *gin.Context) {
	if err := g.serveInstance(c); err != nil {
		g.fail(c, err)
	}
	c.Writer.WriteHeaderNow() // or gin would write a page of its own to an empty 404
}

// match finds the rule for a request. One that asks to become a WebSocket and may
// not is answered as what it is without.
func (g *Gateway) match(r *http.Request, path string) upstream.Match {
	if hop.AsksForWebSocket(r) {
		if m := g.instances.Match(services.WebSocket, path); m.Right != "" {
			return m
		}
	}
	return g.instances.Match(r.Method, path)
}

func (g *Gateway) serveInstance(c *gin.Context) error {
	path, err := services.CanonicalPath(c.Request.URL)
	if err != nil {
		return err
	}
	match := g.match(c.Request, path)
	_, peer := fromPeer(c.Request.Context())
	// Without an instance here the request may still be meant for a peer's.
	scope, err := httpapi.Multisite(c.Request.Header)
	if err != nil {
		return err
	}
	elsewhere := scope.Wide() || c.GetHeader(httpapi.HeaderAuthContext) != "" || c.GetHeader(httpapi.HeaderTenantContext) != ""
	if match.Instance == nil && !peer && !elsewhere {
		return unknownPath()
	}
	var list httpapi.List
	if scope.Wide() {
		list = httpapi.InstancePages{}
	}
	if match.Right == "" {
		return g.serve(c, httpapi.Route{Method: c.Request.Method, Upgrade: true, List: list, Rights: []tenants.Right{httpapi.AnySession}, Do: func(*gin.Context, httpapi.Call) error {
			if match.Instance == nil {
				return unknownPath()
			}
			return problem.New(problem.Forbidden, "The service %s has no rule that allows this call.", match.Instance.Name).
				With(problem.FactReason, problem.ReasonNoRouteRight)
		}})
	}
	return g.serve(c, httpapi.Route{Method: c.Request.Method, Upgrade: true, List: list, Rights: []tenants.Right{match.Right}, Do: func(c *gin.Context, call httpapi.Call) error {
		use, err := g.useQuota(c.Request.Context(), call)
		if err != nil {
			return err
		}
		defer use.Done()
		httpapi.Stream(c.Writer)
		here := federation.Target{Org: call.Org.ID, Site: g.site, Local: true}
		return g.watched(c, g.still(c, call.Principal, here, []tenants.Right{match.Right}), func() error {
			return g.instances.Serve(countedWriter(c.Writer, use), countedRequest(c.Request, use), match.Instance, upstream.Identity{
				Caller: call.Caller, Org: call.Org, Site: g.site, Path: path, WebSocket: match.WebSocket,
			})
		})
	}})
}
