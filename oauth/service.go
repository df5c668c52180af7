package oauth

import (
	"context"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"causeway/internal/secret"
	"causeway/ratelimit"
	"causeway/tenants"
)

// Policy is what the operator decides. Every duration is positive unless it
// says otherwise.
type Policy struct {
	PublicURL     string // of the site: the aud of access tokens, and what their iss begins with
	ServiceIssuer string // iss of service tokens

	DeviceLifetime  time.Duration // how long codes can be used (RFC 8628 expires_in)
	DeviceInterval  time.Duration // what apps wait between polls
	DevicesPerOwner int           // open requests per account
	DevicesPerPeer  int           // open requests per account and source

	// Rotation is the site's; an organization may have its own, see
	// tenants.TokenPolicy.
	tenants.Rotation

	IdleTimeout     time.Duration // a session unused for this long ends
	UserLifetime    time.Duration // of a person's session
	AccountLifetime time.Duration // of an access token of a service account or API token

	APITokenLifetime time.Duration // of an API token itself; zero is forever
	APITokensPerUser int           // that a user has at once

	Keys KeyPolicy
}

// Config wires a Service.
type Config struct {
	Store     Store
	Directory *tenants.Directory
	Keys      *secret.Keys
	Site      tenants.SiteID // whose keys sign; their ids begin with it
	Policy    Policy
	Now       func() time.Time
	// CountPoll may refuse a poll for a request that nobody has answered. Others of
	// the same client may be a stranger's, so it must not count those together. Nil
	// counts nothing.
	CountPoll func(DeviceRequest) error
	// CountCode counts a try of a user code, which the service gives back when it was
	// right. It may refuse. Nil counts nothing.
	CountCode func(who tenants.Principal, org tenants.OrgID) ratelimit.Decision
	// CountRefresh may refuse a refresh with a token that is good, by the account or
	// API token it belongs to. It tells for how long it would refuse the next one; zero is
	// not at all. Nil counts nothing.
	CountRefresh func(tenants.OrgID, ClientID) (time.Duration, error)
}

// Service is everything this package does for its callers: the API handlers,
// the portal and the request pipeline.
type Service struct {
	store  Store
	orgs   *tenants.Directory
	keys   *secret.Keys
	site   tenants.SiteID
	policy Policy
	now    func() time.Time
	signer *signer

	making sync.Mutex // the first key of service tokens

	countPoll func(DeviceRequest) error
	countCode func(tenants.Principal, tenants.OrgID) ratelimit.Decision
	refreshes *refreshes
	apiTokens *lru.Cache[string, struct{}] // by their digests
}

// New makes a Service; Start readies it.
func New(c Config) *Service {
	if c.CountPoll == nil {
		c.CountPoll = func(DeviceRequest) error { return nil }
	}
	if c.CountCode == nil {
		c.CountCode = func(tenants.Principal, tenants.OrgID) ratelimit.Decision { return ratelimit.Decision{Allowed: true} }
	}
	if c.CountRefresh == nil {
		c.CountRefresh = func(tenants.OrgID, ClientID) (time.Duration, error) { return 0, nil }
	}
	apiTokens, _ := lru.New[string, struct{}](apiTokensKnown) // fails of no size only
	return &Service{
		countPoll: c.CountPoll, countCode: c.CountCode, apiTokens: apiTokens,
		refreshes: &refreshes{limit: c.CountRefresh, now: c.Now, reached: map[tenants.OrgID]time.Time{}},
		store:     c.Store, orgs: c.Directory, keys: c.Keys, site: c.Site, policy: c.Policy, now: c.Now,
		signer: newSigner(c),
	}
}

// rotation is how refresh tokens of org rotate.
func (s *Service) rotation(org *tenants.Snapshot) tenants.Rotation {
	return org.Settings.Tokens.Over(s.policy.Rotation)
}

// clock is the current time in the precision that every database keeps.
func (s *Service) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// Purposes keep digests of different kinds of secret apart.
const (
	digestRefresh = "refresh-token"
	digestDevice  = "device-code"
	digestUser    = "user-code"
	digestLegacy  = "legacy-session"
)

func (s *Service) digest(purpose, value string) Digest { return s.keys.Digest(purpose, value) }

// change runs f in a transaction in which the caller still stands.
func (s *Service) change(ctx context.Context, by tenants.Caller, f func(Tx) error) error {
	now := s.clock()
	return s.store.InTx(ctx, func(tx Tx) error {
		if err := tenants.Stands(tx, by.Principal, now); err != nil {
			return err
		}
		return f(tx)
	})
}
