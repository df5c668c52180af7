package site

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"causeway/federation"
	"causeway/federation/associations"
	"causeway/federation/contact"
	"causeway/federation/direct"
	"causeway/federation/gossip"
	"causeway/federation/links"
	"causeway/federation/peer"
	"causeway/federation/roots"
	"causeway/gateway"
	"causeway/internal/cells"
	"causeway/internal/config"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/pulse"
	"causeway/internal/refusal"
	"causeway/internal/relay"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/tracing"
	"causeway/internal/upkeep"
	"causeway/oauth"
	"causeway/oauth/apps"
	"causeway/ratelimit"
	"causeway/services"
	"causeway/services/upstream"
	"causeway/tenants"
)

// Bounds of memory: each is a number of entries, most of a few hundred bytes.
const (
	rememberedOrgs  = 20_000
	rememberedLinks = 20_000
)

// Options are what a configuration file cannot say.
type Options struct {
	Log     *slog.Logger
	Now     func() time.Time // nil is time.Now
	Network Network
	// DatabaseAway takes the database away while it is true, for rehearsals; see
	// store.Config.
	DatabaseAway func() bool
}

// Site is one cell of a site. New readies it, Start serves, Stop ends it.
type Site struct {
	config  *config.Config
	options Options
	log     *slog.Logger
	now     func() time.Time

	db           *store.DB
	watermark    *store.Watermark // nil if none is configured
	marking      bool             // it is kept
	keys         *secret.Keys
	hasher       *secret.PasswordHasher
	self         federation.Self
	roots        *roots.Keeper
	directory    *tenants.Directory
	provisioner  *tenants.Provisioner
	logins       *tenants.Logins
	tenants      *tenants.Service
	oauth        *oauth.Service
	apps         *apps.Service
	limits       *ratelimit.Limiter
	shares       *shares
	orgLimits    *tenants.Limits
	instances    *upstream.Proxy
	services     *services.Service
	access       *services.Access
	deliverer    *services.Deliverer
	relay        *relay.Deliverer
	identity     *peer.Identity
	door         *peer.Door
	forwarder    *peer.Forwarder
	resolver     *peer.Resolver
	introspector *direct.Introspector // of tokens that other sites issued
	links        *links.Links
	contact      *contact.Service
	tokens       *oauth.Authenticator
	tail         *journal.Tail
	hints        *hints
	cells        *cells.Registry
	cleaner      *upkeep.Cleaner
	sealer       *upkeep.Sealer
	gossip       *speaker      // nil in static mode
	cellPool     *gossip.Cells // nil where cells do without
	refusals     *refusal.Recorder
	gateway      *gateway.Gateway
	metrics      *metrics
	tracer       *tracing.Tracer // nil is off
	pulse        *pulse.Pulse
	examiner     *journal.Examiner
	servers      []*server
	shown        shown
	background   *background
	failed       chan error
	leaving      atomic.Bool // about to stop

	name         *associations.Name
	associations *associations.Service
}

// New opens the database, whose schema must be current, and wires everything.
// Nothing listens yet, and the site's identity and first keys exist afterwards.
func New(ctx context.Context, c *config.Config, o Options) (_ *Site, err error) {
	s := &Site{config: c, options: o, log: o.Log, now: o.Now, failed: make(chan error, 1)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("site", c.Site.Name)
	if s.now == nil {
		s.now = time.Now
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, step := range []func(context.Context) error{s.openStore, s.openSelf, s.openTracing, s.openDomains, s.openFederation, s.openGateway} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Site) openStore(ctx context.Context) (err error) {
	s.hints = s.newHints()
	s.db, err = store.Open(ctx, store.Config{
		URL: s.config.Database.URL.Reveal(), Log: s.log, MaxConns: s.config.Database.Connections, Wake: s.hints.Committed,
		Away: s.options.DatabaseAway,
	})
	if err != nil {
		return err
	}
	if err := s.db.CheckSchema(ctx); err != nil {
		return err
	}
	if err := s.openWatermark(ctx); err != nil {
		return err
	}
	if s.keys, err = s.openKeys(ctx); err != nil {
		return err
	}
	s.hasher, err = secret.NewPasswordHasher(secret.PasswordLimits{
		Concurrent: s.config.Passwords.Concurrent, Waiting: s.config.Passwords.Waiting,
	})
	return err
}

// openWatermark comes before anything is written.
func (s *Site) openWatermark(ctx context.Context) (err error) {
	url := s.config.Database.Watermark.Reveal()
	if url != "" {
		if s.watermark, err = store.OpenWatermark(ctx, url); err != nil {
			return err
		}
	}
	s.marking, err = s.db.KeepMarks(ctx, s.watermark)
	if err == nil && url != "" && !s.marking {
		s.log.Warn("database.watermark is configured and not kept: stop all cells and run causeway watermark begin")
	}
	return err
}

// openKeys makes a master key for a new site only: beside a database that another
// key sealed, a new one would open nothing.
func (s *Site) openKeys(ctx context.Context) (*secret.Keys, error) {
	err := s.db.Federation().View(ctx, func(r federation.Reader) error {
		_, err := r.Self()
		return err
	})
	switch {
	case problem.Has(err, problem.NotFound):
		return s.config.Keys.Master(true).Load(ctx)
	case err != nil:
		return nil, err
	}
	return s.config.Keys.Master(false).Load(ctx)
}

// openSelf is who this site is. The system's organization is there before: the
// journal names it.
func (s *Site) openSelf(ctx context.Context) (err error) {
	s.provisioner = tenants.NewProvisioner(s.db.Tenants(), s.hasher, s.now)
	if err := s.provisioner.EnsureSystem(ctx); err != nil {
		return err
	}
	s.self, _, err = links.EnsureSelf(ctx, s.db.Federation(), s.keys, s.config.Site.Name, s.clock())
	return err
}

func (s *Site) openDomains(ctx context.Context) (err error) {
	if s.directory, err = tenants.NewDirectory(s.db.Tenants(), rememberedOrgs); err != nil {
		return err
	}
	s.logins = tenants.NewLogins(s.db.Tenants(), s.hasher, s.now)
	s.logins.Lost = func(err error) { s.log.Warn("could not count a login", "err", err) }
	if s.shares, err = newShares(s.config.Limits, s.now); err != nil {
		return err
	}
	s.limits, s.orgLimits = s.shares.limits, tenants.NewLimits(s.db.Tenants(), s.shares.limits)
	if err := s.orgLimits.Load(ctx); err != nil {
		return err
	}
	s.tenants = tenants.New(tenants.Config{
		Store: s.db.Tenants(), Directory: s.directory, Hasher: s.hasher, Logins: s.logins, Rotation: rotation(s.config), Limits: s.orgLimits, Now: s.now,
	})
	s.oauth = oauth.New(oauth.Config{
		Store: s.db.OAuth(), Directory: s.directory, Keys: s.keys, Site: s.self.ID, Now: s.now, Policy: policy(s.config),
		CountPoll: func(d oauth.DeviceRequest) error { return s.limits.Spend(ratelimit.TokenPoll, ratelimit.Request(d.ID)) },
		CountCode: func(who tenants.Principal, org tenants.OrgID) ratelimit.Decision {
			return s.limits.Take(ratelimit.UserCode, ratelimit.Account(who.ID), ratelimit.Org(org))
		},
		CountRefresh: func(org tenants.OrgID, id oauth.ClientID) (time.Duration, error) {
			d := s.limits.Take(ratelimit.TokenRefresh, ratelimit.Account(id), ratelimit.Org(org))
			return d.Next, d.Err()
		},
	})
	if err := s.oauth.Start(ctx); err != nil {
		return err
	}
	if err := s.openServices(ctx); err != nil {
		return err
	}
	if err := s.openApps(); err != nil {
		return err
	}
	return s.openInstances()
}

func (s *Site) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// Self is this site's identity.
func (s *Site) Self() federation.Self { return s.self }

// Root is the site's root public key, which an association pins.
func (s *Site) Root() *ecdsa.PublicKey { return s.roots.Public() }

// DB, Keys, Provisioner and OAuth are for whoever sets a site up.
func (s *Site) DB() *store.DB                     { return s.db }
func (s *Site) Keys() *secret.Keys                { return s.keys }
func (s *Site) Provisioner() *tenants.Provisioner { return s.provisioner }
func (s *Site) Directory() *tenants.Directory     { return s.directory }
func (s *Site) OAuth() *oauth.Service             { return s.oauth }
func (s *Site) Public() http.Handler              { return s.gateway.Public() }

func rotation(c *config.Config) tenants.Rotation {
	return tenants.Rotation{
		RetryWindow: c.Rotation.Window, GraceWindow: c.Rotation.ForeignWindow, MaxRetries: c.Rotation.Retries, MaxAge: c.Rotation.MaxAge,
	}
}

func policy(c *config.Config) oauth.Policy {
	return oauth.Policy{
		PublicURL:      c.Public.URL,
		ServiceIssuer:  cmp.Or(c.CSP.Issuer, c.Public.URL+"/csp/gateway/am/api"),
		DeviceLifetime: c.Device.CodeLifetime, DeviceInterval: c.Device.Interval,
		DevicesPerOwner: c.Device.OutstandingPerAccount, DevicesPerPeer: c.Device.OutstandingPerSource,
		Rotation:    rotation(c),
		IdleTimeout: c.Sessions.IdleTimeout, UserLifetime: c.Sessions.UserLifetime, AccountLifetime: c.Sessions.TokenLifetime,
		APITokenLifetime: c.Sessions.APITokenLifetime, APITokensPerUser: c.Sessions.APITokensPerUser,
		Keys: oauth.KeyPolicy{
			Algorithm: strings.ToUpper(c.Keys.Algorithm), RotateEvery: c.Keys.RotateEvery, PublishAhead: c.Keys.PublishAhead,
		},
	}
}
