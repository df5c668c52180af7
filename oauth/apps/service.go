package apps

import (
	"context"
	"time"

	"causeway/internal/secret"
	"causeway/oauth"
	"causeway/services"
	"causeway/tenants"
)

// Policy is what the operator decides.
type Policy struct {
	// AdminsManage lets Organization Administrators manage apps without being
	// Developers: one reading of CSP's documents. The other is the default (CSP-22).
	AdminsManage    bool
	TokenLifetime   time.Duration // of a user's access token for an API token
	RotationOverlap time.Duration // how long an old secret works beside a new one, unless its app says
}

// Signer makes access tokens.
type Signer interface {
	SignServiceToken(ctx context.Context, t oauth.ServiceToken) (string, error)
}

// Config wires a Service.
type Config struct {
	Store     Store
	Directory *tenants.Directory
	Keys      *secret.Keys
	Signer    Signer
	Peers     Peers // may be nil: no app of another site is added
	Site      tenants.SiteID
	Policy    Policy
	Now       func() time.Time
	// Fresh reports whether what is remembered can be trusted, see
	// [oauth.Service.NewAuthenticator]; nil is always.
	Fresh func() bool
	// Remembered is how many apps, and how many memberships of apps, are kept in
	// memory; zero is a default.
	Remembered int
}

// Service is everything this package does for its callers.
type Service struct {
	store  Store
	orgs   *tenants.Directory
	keys   *secret.Keys
	signer Signer
	peers  Peers
	site   tenants.SiteID
	policy Policy
	now    func() time.Time
	fresh  func() bool
	memory memory
	desk   *desk
}

// New makes a Service.
func New(c Config) (*Service, error) {
	if c.Fresh == nil {
		c.Fresh = func() bool { return true }
	}
	m, err := newMemory(c.Remembered)
	if err != nil {
		return nil, err
	}
	return &Service{
		store: c.Store, orgs: c.Directory, keys: c.Keys, signer: c.Signer, peers: c.Peers, site: c.Site, policy: c.Policy, now: c.Now,
		fresh: c.Fresh, memory: m, desk: newDesk(),
	}, nil
}

// clock is the current time in the precision that every database keeps.
func (s *Service) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// Now is the current time.
func (s *Service) Now() time.Time { return s.clock() }

// digestSecret keeps digests of app secrets apart from those of other secrets.
const digestSecret = "app-secret"

func (s *Service) digest(value string) oauth.Digest { return s.keys.Digest(digestSecret, value) }

// change runs f in a transaction in which the caller still stands, with what the
// caller is in org then.
func (s *Service) change(ctx context.Context, by tenants.Caller, org tenants.OrgID, f func(Tx, services.Standing) error) error {
	now := s.clock()
	return s.store.InTx(ctx, func(tx Tx) error {
		if err := tenants.Stands(tx, by.Principal, now); err != nil {
			return err
		}
		standing, err := services.StandingOf(tx, by.Principal, org, now)
		if err != nil {
			return err
		}
		return f(tx, standing)
	})
}

// view is change for who only reads.
func (s *Service) view(ctx context.Context, by tenants.Caller, org tenants.OrgID, f func(Reader, services.Standing) error) error {
	now := s.clock()
	return s.store.View(ctx, func(r Reader) error {
		standing, err := services.StandingOf(r, by.Principal, org, now)
		if err != nil {
			return err
		}
		return f(r, standing)
	})
}
