package oauth

import (
	"context"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/jose"
	"causeway/internal/problem"
	"causeway/tenants"
)

const serviceTokenType = "JWT"

// ServiceToken is an access token as clients of VMware Cloud services read it: RS256,
// with their claims. What it says of roles is for clients to look at; what counts is
// what the holder has when it is used.
type ServiceToken struct {
	ID        string // jti: of a user's token the session
	Client    string // azp: who got it; an app, or an API token of a user
	Org       tenants.OrgID
	Subject   string
	User      string // username; of an app its client id, since clients insist on one
	Domain    string
	Account   string
	Context   string // of this login
	Perms     []string
	IssuedAt  time.Time
	ExpiresAt time.Time
	App       *AppClaims // nil in a user's token
}

// AppClaims bind a token to the secret that it was got with and to the time that the
// app was added to the organization.
type AppClaims struct {
	SecretVersion int64
	Epoch         int64
}

// serviceClaims are the claims by name. aud is left out: one client refuses a list,
// and nobody reads it.
type serviceClaims struct {
	jwt.RegisteredClaims
	Org           tenants.OrgID `json:"context_name"`
	Context       string        `json:"context"`
	Perms         []string      `json:"perms"`
	Client        string        `json:"azp"`
	Domain        string        `json:"domain"`
	User          string        `json:"username"`
	Account       string        `json:"acct"`
	SecretVersion int64         `json:"cw_sv,omitempty"`
	Epoch         int64         `json:"cw_am,omitempty"`
}

// ServiceIssuer is the iss of service tokens.
func (s *Service) ServiceIssuer() string { return s.policy.ServiceIssuer }

// SignServiceToken signs t, and nothing that would be refused for its length. The
// first makes the key.
func (s *Service) SignServiceToken(ctx context.Context, t ServiceToken) (string, error) {
	key, err := s.serviceKey(ctx)
	if err != nil {
		return "", err
	}
	claims := serviceClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: s.policy.ServiceIssuer, Subject: t.Subject, ID: t.ID,
			IssuedAt: jwt.NewNumericDate(t.IssuedAt), ExpiresAt: jwt.NewNumericDate(t.ExpiresAt),
		},
		Org: t.Org, Context: t.Context, Perms: t.Perms, Client: t.Client, Domain: t.Domain, User: t.User, Account: t.Account,
	}
	if t.App != nil {
		claims.SecretVersion, claims.Epoch = t.App.SecretVersion, t.App.Epoch
	}
	token := jwt.NewWithClaims(key.method, claims)
	token.Header["kid"] = key.ID
	signed, err := token.SignedString(key.private)
	if err == nil && len(signed) > maxToken {
		return "", fmt.Errorf("oauth: a service token of %d bytes would not be read back", len(signed))
	}
	return signed, err
}

// ServiceKey is the key that signs service tokens now: some clients ask for one and
// no list. It is problem.NotFound where none was ever signed: anybody may ask, and
// strangers make no keys.
func (s *Service) ServiceKey(ctx context.Context) (PublicKey, error) {
	set, err := s.signer.current(ctx)
	if err != nil {
		return PublicKey{}, err
	}
	k, ok := signing(set.list, PurposeServiceToken, s.now())
	if !ok {
		return PublicKey{}, problem.New(problem.NotFound, "The site has given out no token that a key would verify.")
	}
	return PublicKey{ID: k.ID, Algorithm: k.Algorithm, Key: set.ready[k.ID].public}, nil
}

// ServiceKeys are the keys that verify service tokens, see PublicKeys.
func (s *Service) ServiceKeys(ctx context.Context) ([]PublicKey, error) {
	return s.publicKeys(ctx, PurposeServiceToken)
}

// serviceKey is the key that signs service tokens. A site that has no use for them
// has none: to make one takes as long as a start.
func (s *Service) serviceKey(ctx context.Context) (readyKey, error) {
	return s.firstKey(ctx, PurposeServiceToken)
}

// isServiceToken reports whether token says of itself that it is one.
func isServiceToken(token string) bool { return jose.TypeOf(token) == serviceTokenType }

// verifyServiceToken checks everything that a token shows by itself, see
// verifyAccessToken. kid is the key that signed it.
func (s *Service) verifyServiceToken(ctx context.Context, token string) (found ServiceToken, kid string, err error) {
	t, err := jose.Parse(token, maxToken)
	if err != nil {
		return ServiceToken{}, "", unauthenticated()
	}
	key, err := s.signer.verifying(ctx, PurposeServiceToken, t.KeyID())
	if err != nil {
		return ServiceToken{}, "", err
	}
	var c serviceClaims
	if t.CheckHeader(map[string]string{"alg": key.method.Alg(), "kid": key.ID, "typ": serviceTokenType}) != nil ||
		t.Verify(key.method, key.public) != nil || t.Decode(&c) != nil || s.checkServiceClaims(c) != nil {
		return ServiceToken{}, "", unauthenticated()
	}
	found = ServiceToken{
		ID: c.ID, Client: c.Client, Org: c.Org, Subject: c.Subject, User: c.User, Domain: c.Domain, Account: c.Account,
		Context: c.Context, Perms: c.Perms, IssuedAt: c.IssuedAt.Time, ExpiresAt: c.ExpiresAt.Time,
	}
	if c.SecretVersion != 0 {
		found.App = &AppClaims{SecretVersion: c.SecretVersion, Epoch: c.Epoch}
	}
	return found, key.ID, nil
}

func (s *Service) checkServiceClaims(c serviceClaims) error {
	if c.ID == "" || c.Org == "" || c.Client == "" || c.IssuedAt == nil {
		return unauthenticated()
	}
	return jwt.NewValidator(
		jwt.WithIssuer(s.policy.ServiceIssuer), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway), jwt.WithTimeFunc(s.now),
	).Validate(c)
}
