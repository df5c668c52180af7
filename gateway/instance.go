package gateway

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/internal/hop"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/services"
	"causeway/services/upstream"
	"causeway/tenants"
)

// Instances finds the services behind the gateway and hands requests to them.
type Instances interface {
	OwnsHost(ctx context.Context, host string) (bool, error)
	Match(ctx context.Context, host, method, path string) (upstream.Match, error)
	// Again is an instance of an organization as it is now; nil is of one that is gone.
	Again(ctx context.Context, in *upstream.Instance) (*upstream.Instance, error)
	Serve(w http.ResponseWriter, r *http.Request, in *upstream.Instance, id upstream.Identity) error
}

// isHosted reports whether a request is for an instance that has its host, so that no
// path of ours counts. One of which that cannot be found out is none of ours either.
func (g *Gateway) isHosted(r *http.Request) bool {
	owned, err := g.instances.OwnsHost(r.Context(), r.Host)
	return owned || err != nil
}

// instance serves what no endpoint of ours claims: the services behind the
// gateway. What a call needs is theirs to say; a call they have no rule for is
// refused to everybody.
func (g *Gateway) instance(c *gin.Context) {
	if err := g.serveInstance(c); err != nil {
		g.fail(c, err)
	}
	c.Writer.WriteHeaderNow() // or gin would write a page of its own to an empty 404
}

func (g *Gateway) serveInstance(c *gin.Context) error {
	path, err := services.CanonicalPath(c.Request.URL)
	if err != nil {
		return err
	}
	match, err := g.match(c.Request, path)
	if err != nil {
		return err
	}
	scope, err := httpapi.Multisite(c.Request.Header)
	if err != nil {
		return err
	}
	rt := httpapi.Route{Method: c.Request.Method, Upgrade: true}
	if scope.Wide() && !match.ByHost {
		rt.List = httpapi.InstancePages{}
	}
	switch {
	case match.Instance == nil:
		return g.serveNothing(c, rt, scope.Wide())
	case match.Instance.Service != nil:
		return g.serveService(c, rt, match)
	}
	return g.serveConfigured(c, rt, match)
}

// match finds the instance for a request. Of one that the configuration names, a
// request that asks to become a WebSocket and may not is answered as what it is
// without. A peer calls every host of ours the same.
func (g *Gateway) match(r *http.Request, path string) (upstream.Match, error) {
	host := r.Host
	if _, peer := fromPeer(r.Context()); peer {
		host = ""
	}
	if hop.AsksForWebSocket(r) {
		m, err := g.instances.Match(r.Context(), host, services.WebSocket, path)
		if err != nil || m.Right != "" {
			return m, err
		}
	}
	return g.instances.Match(r.Context(), host, r.Method, path)
}

// serveNothing is for paths that lead to no instance here. They may still be meant
// for a peer's.
func (g *Gateway) serveNothing(c *gin.Context, rt httpapi.Route, wide bool) error {
	_, peer := fromPeer(c.Request.Context())
	elsewhere := wide || c.GetHeader(httpapi.HeaderAuthContext) != "" || c.GetHeader(httpapi.HeaderTenantContext) != ""
	if !peer && !elsewhere {
		return unknownPath()
	}
	rt.Rights = []tenants.Right{httpapi.AnySession}
	rt.Apps = true
	rt.Do = func(*gin.Context, httpapi.Call) error { return unknownPath() }
	return g.serve(c, rt)
}

// serveConfigured is for instances whose rules ask for rights.
func (g *Gateway) serveConfigured(c *gin.Context, rt httpapi.Route, match upstream.Match) error {
	if match.Right == "" {
		rt.Rights = []tenants.Right{httpapi.AnySession}
		rt.Do = func(*gin.Context, httpapi.Call) error {
			return problem.New(problem.Forbidden, "The service %s has no rule that allows this call.", match.Instance.Name).
				With(problem.FactReason, problem.ReasonNoRouteRight)
		}
		return g.serve(c, rt)
	}
	rt.Rights = []tenants.Right{match.Right}
	rt.Do = func(c *gin.Context, call httpapi.Call) error {
		may := func(ctx context.Context, now tenants.Principal) error {
			return g.orgs.Require(ctx, now, call.Org.ID, match.Right)
		}
		return g.hand(c, call, match, may, upstream.Identity{Path: match.Path, WebSocket: match.WebSocket})
	}
	return g.serve(c, rt)
}

// serveService is for instances of organizations, whose definitions ask for
// permissions. They speak as services of CSP do.
func (g *Gateway) serveService(c *gin.Context, rt httpapi.Route, match upstream.Match) error {
	httpapi.Speak(c, httpapi.CSP)
	rt.Apps, rt.Here = true, match.ByHost
	method, upgrade := c.Request.Method, hop.AsksForWebSocket(c.Request)
	var verdict services.Verdict
	rt.Judge = func(c *gin.Context, who tenants.Principal, org *tenants.Snapshot) (err error) {
		if !org.Enabled {
			return problem.New(problem.Unauthenticated, "The session is not valid.").With(problem.FactReason, problem.ReasonDisabled)
		}
		if org.ID != match.Instance.Service.Org { // or it would be told of another than its own
			return problem.New(problem.Forbidden, "Access to the resource is forbidden.").
				With(problem.FactReason, problem.ReasonOtherOrg, problem.FactInstance, string(match.Instance.Service.ID))
		}
		verdict, err = g.judge(c.Request.Context(), who, match, method, upgrade)
		return err
	}
	rt.Do = func(c *gin.Context, call httpapi.Call) error {
		if !match.Instance.Service.Enabled {
			return problem.New(problem.Unavailable, "The service %s is switched off.", match.Instance.Name)
		}
		may := func(ctx context.Context, now tenants.Principal) error {
			return g.mayStill(ctx, now, match, method, verdict.WebSocket)
		}
		return g.hand(c, call, match, may, upstream.Identity{Path: match.Path, WebSocket: verdict.WebSocket, Effect: verdict.Effect})
	}
	return g.serve(c, rt)
}

// judge asks what a call needs and whether who has it. One that asks to become a
// WebSocket and may not is judged as what it is without.
func (g *Gateway) judge(ctx context.Context, who tenants.Principal, match upstream.Match, method string, upgrade bool) (services.Verdict, error) {
	in, now := match.Instance.Service, g.now()
	if upgrade {
		v, err := g.access.Judge(ctx, who, in, services.WebSocket, match.Path, now)
		if !problem.Has(err, problem.Forbidden) {
			return v, err
		}
	}
	return g.access.Judge(ctx, who, in, method, match.Path, now)
}

// mayStill judges an exchange under way: the instance may be gone, or be found by
// other means, and what who has in it may be less.
func (g *Gateway) mayStill(ctx context.Context, who tenants.Principal, match upstream.Match, method string, upgraded bool) error {
	in, err := g.instances.Again(ctx, match.Instance)
	if err != nil {
		return err
	}
	if in == nil || !in.Service.Enabled {
		return problem.New(problem.Forbidden, "The service %s is not there any more.", match.Instance.Name)
	}
	if upgraded {
		method = services.WebSocket
	}
	match.Instance = in
	_, err = g.judge(ctx, who, match, method, false)
	return err
}

// hand takes a call to its instance, while whoever makes it still may.
func (g *Gateway) hand(c *gin.Context, call httpapi.Call, match upstream.Match, may func(context.Context, tenants.Principal) error, id upstream.Identity) error {
	use, err := g.useQuota(c.Request.Context(), call)
	if err != nil {
		return err
	}
	defer use.Done()
	httpapi.Stream(c.Writer)
	id.Caller, id.Org, id.Site = call.Caller, call.Org, g.site
	here := federation.Target{Org: call.Org.ID, Site: g.site, Local: true}
	err = g.watched(c, g.still(c, call.Principal, here, may), func() error {
		return g.instances.Serve(countedWriter(c.Writer, use), countedRequest(c.Request, use), match.Instance, id)
	})
	if err == nil {
		g.answeredBy(c, match.Instance)
	}
	return err
}

// answeredBy notes a refusal of the instance's own (CSP-10).
func (g *Gateway) answeredBy(c *gin.Context, in *upstream.Instance) {
	if status := c.Writer.Status(); status == http.StatusUnauthorized || status == http.StatusForbidden {
		c.Set(keyRefusedBy, in)
	}
}
