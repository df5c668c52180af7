package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/federation/fanout"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/refusal"
	"causeway/internal/tracing"
	"causeway/ratelimit"
	"causeway/services"
	"causeway/tenants"
)

// Tokens tells who holds an access token, and for which it need not ask the
// database.
type Tokens interface {
	Authenticate(ctx context.Context, token string) (tenants.Principal, error)
	Remembers(token string) bool
}

// Sites finds where a request must be fulfilled and takes it there, and says who
// a request from there speaks for.
type Sites interface {
	Resolve(ctx context.Context, who tenants.Principal, headers http.Header) (federation.Target, error)
	Send(w http.ResponseWriter, r *http.Request, who tenants.Principal, to federation.Target) error
	Receive(ctx context.Context, r *http.Request, from tenants.SiteID, toll federation.Toll) (tenants.Principal, error)

	// Foreign reports whether a token says that an associated site issued it, and
	// Direct who shows such a one here. Still says who somebody is now whom a site
	// vouched for.
	Foreign(token string) bool
	Direct(ctx context.Context, token string, headers http.Header) (tenants.Principal, error)
	Still(ctx context.Context, who tenants.Principal) (tenants.Principal, error)

	// Spread lists where else a list of an organization can be read, Within says who
	// somebody is in another organization of this site, and Fetch asks a peer.
	Spread(ctx context.Context, who tenants.Principal, org tenants.OrgID) ([]federation.Place, error)
	Within(ctx context.Context, who tenants.Principal, org tenants.OrgID) (tenants.Principal, error)
	Fetch(r *http.Request, who tenants.Principal, to federation.Target) (*http.Response, error)
}

// Access judges calls of the instances of organizations.
type Access interface {
	Judge(ctx context.Context, who tenants.Principal, in *services.ServiceInstance, method, path string, now time.Time) (services.Verdict, error)
}

// Limits bounds how often a principal may call the API, and how often a source
// may show tokens that are none.
type Limits interface {
	Take(name ratelimit.Name, keys ...ratelimit.Key) ratelimit.Decision
	Check(name ratelimit.Name, keys ...ratelimit.Key) error
}

// Refusals keeps what was refused. Record returns when what must be durable is.
type Refusals interface {
	Record(ctx context.Context, o refusal.Outcome)
	Note(r refusal.Refusal)
}

// Config wires a Gateway.
type Config struct {
	Tokens    Tokens
	Sites     Sites
	Orgs      *tenants.Directory
	Instances Instances
	Access    Access
	Limits    Limits
	Quotas    *ratelimit.Quotas // of service instances; nil counts with default bounds
	Site      tenants.SiteID
	PublicURL string         // on which links are built
	Lists     *fanout.Fanout // reads lists at several locations
	Endpoints httpapi.Endpoints
	Trusted   []netip.Prefix // proxies whose X-Forwarded-For counts
	Observe   func(Record)   // one per answered request; may be nil
	Refusals  Refusals       // may be nil
	Ready     func() bool    // answers balancers; must not block, nil is always
	Tracer    *tracing.Tracer
	Now       func() time.Time
	Log       *slog.Logger
}

// Gateway serves the public and the peer listener of one site.
type Gateway struct {
	tokens    Tokens
	sites     Sites
	orgs      *tenants.Directory
	instances Instances
	access    Access
	limits    Limits
	quotas    *ratelimit.Quotas
	site      tenants.SiteID
	publicURL string
	lists     *fanout.Fanout
	observe   func(Record)
	refusals  Refusals
	ready     func() bool
	tracer    *tracing.Tracer
	now       func() time.Time
	log       *slog.Logger
	engine    *gin.Engine
	routes    gin.RoutesInfo // of engine: gin writes to its trees at the first request
	hosted    *gin.Engine    // of hosts that are an instance's
	strangers strangers
	life      context.Context // ends with Close
	shut      context.CancelFunc
	pace      pace
	origins   httpapi.Origins
}

// New makes a Gateway that serves c.Endpoints and, where they end, the instances.
func New(c Config) *Gateway {
	g := &Gateway{
		tokens: c.Tokens, sites: c.Sites, orgs: c.Orgs, instances: c.Instances, access: c.Access, limits: c.Limits, quotas: c.Quotas,
		site: c.Site, publicURL: c.PublicURL, lists: c.Lists, observe: c.Observe, refusals: c.Refusals, ready: c.Ready, tracer: c.Tracer, now: c.Now, log: c.Log,
		origins: httpapi.NewOrigins(c.PublicURL),
	}
	g.life, g.shut = context.WithCancel(context.Background())
	if g.now == nil {
		g.now = time.Now
	}
	if g.quotas == nil {
		g.quotas = ratelimit.NewQuotas(ratelimit.QuotaConfig{})
	}
	gin.SetMode(gin.ReleaseMode)
	g.hosted = g.newEngine(c.Trusted)
	g.engine = g.newEngine(c.Trusted)
	g.engine.HandleMethodNotAllowed = true
	for _, rt := range c.Endpoints.Routes {
		rt.Do = limited(c.Limits, receipted(rt.Method, rt.Do))
		g.handle(rt.Method, rt.Path, g.route(rt))
	}
	for _, rt := range c.Endpoints.Open {
		g.handle(rt.Method, rt.Path, g.open(rt))
	}
	for _, rt := range c.Endpoints.Between {
		g.handle(rt.Method, rt.Path, g.between(rt))
	}
	for _, page := range c.Endpoints.Pages {
		page.Do = limited(c.Limits, receipted(page.Method, page.Do))
		g.handle(page.Method, page.Path, g.page(page, c.Endpoints.DrawFailure))
	}
	g.engine.NoRoute(g.nowhere(c.Endpoints.DrawFailure))
	g.engine.NoMethod(func(c *gin.Context) {
		g.fail(c, problem.New(problem.MethodNotAllowed, "The method is not allowed here."))
	})
	g.routes = g.engine.Routes()
	return g
}

// newEngine has no paths of its own yet: everything is an instance's.
func (g *Gateway) newEngine(trusted []netip.Prefix) *gin.Engine {
	e := gin.New()
	// Clients double and forget slashes; a redirect would lose their POST.
	e.RemoveExtraSlash = true
	e.RedirectTrailingSlash = false
	e.RedirectFixedPath = false
	_ = e.SetTrustedProxies(nil)
	e.Use(g.record, httpapi.Identify(trusted), g.recover, g.canonical)
	e.NoRoute(g.instance)
	return e
}

// limited spends a call of the API from the principal's budget, or its site's, once
// it is known to be allowed; calls to instances are not counted.
func limited(limits Limits, do func(*gin.Context, httpapi.Call) error) func(*gin.Context, httpapi.Call) error {
	return func(c *gin.Context, call httpapi.Call) error {
		d := limits.Take(ratelimit.Management, spender(call), ratelimit.Org(call.Org.ID))
		if err := d.Err(); err != nil {
			return err
		}
		httpapi.RateLimit(c, d.Standing)
		return do(c, call)
	}
}

// spender is whose calls count as one account's. What a peer asks counts together
// in each organization, whoever it says asks: it has a share of the organization's
// budget, and none of those of the accounts that work here.
func spender(call httpapi.Call) ratelimit.Key {
	if via := call.Principal.Via; via != "" {
		return ratelimit.Account(tenants.LocationID{Org: call.Org.ID, Site: via}.String())
	}
	return ratelimit.Account(call.Principal.ID)
}

// canonical refuses paths that proxies, peers and we could read in different
// ways, before anything is decided by one of the readings.
func (g *Gateway) canonical(c *gin.Context) {
	if err := services.CheckPath(c.Request.URL); err != nil {
		g.fail(c, err)
		c.Abort()
	}
}

// handle registers a path with and without a trailing slash: SDKs send both.
func (g *Gateway) handle(method, path string, h gin.HandlerFunc) {
	g.engine.Handle(method, path, h)
	g.engine.Handle(method, path+"/", h)
}

// Public is the handler of the public listener.
func (g *Gateway) Public() http.Handler { return public{g} }

type public struct{ *Gateway }

func (p public) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.isHosted(r) {
		p.hosted.ServeHTTP(w, r)
		return
	}
	if r.URL.Path == balancerPath {
		p.answerBalancer(w)
		return
	}
	p.engine.ServeHTTP(w, r)
}

// Routes are the paths that are not an instance's.
func (p public) Routes() gin.RoutesInfo { return p.routes }

// Peer is the handler of the peer listener. site says which associated site is
// at the other end of a connection, and is asked for each request: a connection
// outlives the association and the key that let it in.
func (g *Gateway) Peer(site func(*http.Request) (tenants.SiteID, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := site(r)
		if err != nil {
			p := problem.From(err)
			w.Header().Set("Connection", "close")
			http.Error(w, p.Detail, p.Code.Row().Status)
			return
		}
		g.engine.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), peerKey{}, from)))
	})
}

type peerKey struct{}

func fromPeer(ctx context.Context) (tenants.SiteID, bool) {
	site, ok := ctx.Value(peerKey{}).(tenants.SiteID)
	return site, ok
}

func (g *Gateway) route(rt httpapi.Route) gin.HandlerFunc {
	return func(c *gin.Context) {
		httpapi.KeepRefusals(c, g)
		if err := g.serve(c, rt); err != nil {
			g.fail(c, err)
		}
	}
}

// open serves endpoints that need no session. A peer has no business there: it
// speaks for principals of its own, each with an assertion.
func (g *Gateway) open(rt httpapi.Open) gin.HandlerFunc {
	return func(c *gin.Context) {
		httpapi.KeepRefusals(c, g)
		if err := serveOpen(c, rt); err != nil {
			g.fail(c, err)
		}
	}
}

func serveOpen(c *gin.Context, rt httpapi.Open) error {
	if _, peer := fromPeer(c.Request.Context()); peer {
		return unknownPath()
	}
	if err := httpapi.CheckVersion(c.Request); err != nil && !rt.AnyVersion {
		return err
	}
	if rt.Admit != nil {
		if err := rt.Admit(c); err != nil {
			return err
		}
	}
	if !changes(rt.Method) {
		return rt.Do(c)
	}
	defer receipt(c).stamp()
	return rt.Do(c)
}

// between serves what associated sites ask of this one.
func (g *Gateway) between(rt httpapi.Between) gin.HandlerFunc {
	return func(c *gin.Context) {
		from, ok := fromPeer(c.Request.Context())
		if !ok {
			g.fail(c, unknownPath())
			return
		}
		if err := rt.Do(c, from); err != nil {
			g.fail(c, err)
		}
	}
}

func unknownPath() error { return problem.New(problem.UnknownPath, "Nothing is served at this path.") }
