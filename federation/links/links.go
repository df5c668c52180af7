package links

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"causeway/federation"
	"causeway/federation/assertion"
	"causeway/federation/direct"
	"causeway/federation/peer"
	"causeway/federation/route"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

// Counterparts finds who a principal of another organization is in ours.
type Counterparts interface {
	// Account finds the service account of the same name and software id
	// (VCD-38); the error says which of the two fails.
	Account(ctx context.Context, org tenants.OrgID, name, softwareID string) (tenants.Principal, error)
	// App finds a server-to-server app of a site, empty for this one, that was added to
	// the organization.
	App(ctx context.Context, org tenants.OrgID, home tenants.SiteID, id string) (tenants.Principal, error)
	// User finds the enabled user of the same name who is known in the same way
	// (tenants.ProviderIntegrated and the like).
	User(ctx context.Context, org tenants.OrgID, name, provider string) (tenants.Principal, error)
}

// Config wires Links.
type Config struct {
	Store        federation.Store
	Orgs         *tenants.Directory
	Keys         *secret.Keys
	Counterparts Counterparts
	Self         federation.Self
	Introspector *direct.Introspector
	Forwarder    *peer.Forwarder
	Resolver     *peer.Resolver
	// Networks are those in which other sites may be.
	Networks peer.Networks
	// Rejudge, if set, is called when the keys of associated sites have changed.
	Rejudge func()
	// Misdirected, if set, is told of a site that does not have an organization of
	// its that is associated with ours: it is to be asked about the two again.
	Misdirected func(tenants.SiteID, federation.Pair)
	// Gossip lists where a site was last heard of; it may list nothing.
	Gossip func(tenants.SiteID) []string
	// Fresh reports whether the journal's tail is close enough to the head to
	// trust what is remembered; while it is not, nobody is let in.
	Fresh func() bool
	Size  int // how many associations, keys and counterparts to remember
	Now   func() time.Time
}

// Links crosses to other sites and answers for them.
type Links struct {
	c        Config
	index    *index
	verifier *assertion.Verifier
	minter   *assertion.Minter
	trusted  atomic.Pointer[map[tenants.SiteID]peer.Keys]
	origins  atomic.Pointer[map[string]tenants.SiteID]
	stale    chan struct{} // trusted must be read again
	wants    *wants
}

// introductions is how many sessions may cross at once before one has to be signed
// for again each time.
const introductions = 8192

// New makes Links.
func New(c Config) (*Links, error) {
	minter, err := assertion.NewMinter(introductions)
	if err != nil {
		return nil, err
	}
	l := &Links{c: c, verifier: assertion.NewVerifier(0, 0), minter: minter, stale: make(chan struct{}, 1), wants: newWants()}
	l.index, err = newIndex(c, l.target)
	return l, err
}

// Apply forgets what the journal names.
func (l *Links) Apply(row journal.Row) {
	l.index.apply(row)
	if row.Subject.Kind == journal.KindSite {
		if site := tenants.SiteID(row.Subject.ID); row.Action == journal.SiteLinkRemoved {
			l.c.Forwarder.Forget(site)
			l.c.Resolver.Forget(site)
		}
		l.renew()
	}
}

// Flush forgets everything.
func (l *Links) Flush() {
	l.index.flush()
	l.renew()
}

// Resolve decides where a request is fulfilled. who.Via is set for requests that
// a peer vouched for: they are fulfilled here or nowhere.
func (l *Links) Resolve(ctx context.Context, who tenants.Principal, h http.Header) (federation.Target, error) {
	auth, tenant, err := route.Contexts(h)
	if err != nil {
		return federation.Target{}, err
	}
	if auth == "" && tenant == "" && who.Via == "" { // most requests
		return federation.Target{Org: who.Org, OrgName: who.OrgName, Site: l.c.Self.ID, Local: true}, nil
	}
	view := &view{ctx: ctx, links: l, session: who}
	d := route.Decide(route.Input{
		Self:        l.c.Self.ID,
		Session:     route.Session{Org: who.Org, OrgName: who.OrgName, Provider: who.Provider()},
		AuthContext: auth, TenantContext: tenant,
		Forwarded: who.Via != "", Dst: who.Place(),
		ViaSelf: peer.ViaNames(h, l.c.Self.ID),
		View:    view,
	})
	if view.err != nil { // the view could not see everything: decide nothing by it
		return federation.Target{}, view.err
	}
	if d.Kind == route.Refuse {
		return federation.Target{}, d.Problem
	}
	if d.Kind == route.Peer && who.Kind == tenants.KindAPIToken {
		return federation.Target{}, staysHome()
	}
	return federation.Target{Org: d.Org, OrgName: d.OrgName, Site: d.Site, Local: d.Kind == route.Local}, nil
}

// Send takes a request to the site that fulfils it, with an assertion for
// exactly this request, signed by the principal's own organization. An error
// means that nothing was written to w.
func (l *Links) Send(w http.ResponseWriter, r *http.Request, who tenants.Principal, to federation.Target) error {
	site, err := l.index.site(r.Context(), to.Site)
	if err != nil {
		return err
	}
	err = l.c.Forwarder.Forward(w, r, l.target(site), peer.Exchange{
		Principal: string(who.Kind) + ":" + who.ID,
		Mint: func() (string, error) {
			_, token, err := l.assert(r, who, to)
			return token, err
		},
	})
	return l.misled(who, to, err)
}

// misled tells of a site that does not have an organization, if that is what err
// says. It returns err.
func (l *Links) misled(who tenants.Principal, to federation.Target, err error) error {
	if errors.Is(err, peer.ErrMisdirected) && l.c.Misdirected != nil {
		l.c.Misdirected(to.Site, federation.Pair{Local: who.Org, Remote: to.Org})
	}
	return err
}

// assert vouches for who in exactly this request.
func (l *Links) assert(r *http.Request, who tenants.Principal, to federation.Target) (site sitePeer, token string, err error) {
	ctx := r.Context()
	subject, err := subjectType(who.Kind)
	if err != nil {
		return site, "", err
	}
	if site, err = l.index.site(ctx, to.Site); err != nil {
		return site, "", err
	}
	key, err := l.index.orgKey(ctx, who.Org)
	if err != nil {
		return site, "", err
	}
	token, err = l.minter.Mint(key, assertion.Claims{
		Issuer: l.c.Self.ID, Audience: to.Site, Src: who.Org, SrcName: who.OrgName, Dst: to.Org,
		SubjectType: subject, Subject: subjectName(who), SoftwareID: who.SoftwareID, IdP: idpLocal,
		Session: assertion.SessionHash(who.Session),
		Method:  r.Method, RequestURI: r.URL.RequestURI(), Body: assertion.Stream, IssuedAt: l.c.Now(),
	})
	return site, token, err
}

func (l *Links) target(site sitePeer) peer.Target {
	if site.to != nil {
		return *site.to
	}
	src := l.source(site)
	candidates, fallback := l.c.Resolver.Candidates(l.c.Gossip, src)
	return peer.Target{
		Site: site.Site, Keys: site.keys, Origin: peer.Origin(site.RestEndpoint),
		Candidates: candidates, Fallback: fallback, Rekey: l.rekey(site),
		Allow: l.c.Networks.Told(site.Allowed, site.RestEndpoint),
	}
}

// subjectType says as what a principal crosses. An API token does not: a peer
// would take it for its owner at a keyboard, without the limits of machines (R7).
func subjectType(k tenants.PrincipalKind) (assertion.SubjectType, error) {
	switch k {
	case tenants.KindServiceAccount:
		return assertion.ServiceAccount, nil
	case tenants.KindUser:
		return assertion.User, nil
	case tenants.KindApp:
		return assertion.App, nil
	}
	return "", staysHome()
}

// subjectName is what a principal is called where it crosses to.
func subjectName(who tenants.Principal) string {
	if who.Kind == tenants.KindApp {
		return who.ID
	}
	return who.Name
}

func staysHome() error {
	return problem.New(problem.Forbidden, "An API token acts at its own site only; a service account can act at associated ones.").
		With(problem.FactReason, problem.ReasonStaysAtHome)
}

// Locations lists where a session may act: its own organization, then the
// associated ones that are complete.
func (l *Links) Locations(ctx context.Context, who tenants.Principal, here federation.Location) ([]federation.Location, error) {
	here.LocationID = tenants.LocationID{Org: who.Org, Site: l.c.Self.ID}
	here.SiteName, here.OrgName = l.c.Self.Name, who.OrgName
	found := []federation.Location{here}
	if who.Via != "" || who.Kind == tenants.KindAPIToken {
		return found, nil
	}
	list, err := l.index.associations(ctx, who.Org)
	if err != nil {
		return nil, err
	}
	for i := range list.Len() {
		a := list.At(i)
		if !a.Complete() || a.Site == l.c.Self.ID {
			continue
		}
		site, err := l.index.site(ctx, a.Site)
		if problem.Has(err, problem.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, federation.Location{
			LocationID: tenants.LocationID{Org: a.Org, Site: a.Site}, SiteName: site.Name, OrgName: a.Name,
			Rest: site.RestEndpoint, UI: site.BaseUIEndpoint,
		})
	}
	return found, nil
}
