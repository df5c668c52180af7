package oauth

import (
	"context"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/jose"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	accessTokenType = "at+jwt" // RFC 9068 §2.1
	leeway          = 30 * time.Second
	// maxToken is in bytes. Ours are about 900; names of nothing but characters
	// that are written as \u003c or %3C make 6000.
	maxToken = 8192
	// passwordClient is the client of a person who logged in by password: the
	// gateway's own endpoint.
	passwordClient = "cloudapi"
)

// accessClaims are those of RFC 9068 §2.2, and what saves verifiers a look-up.
// Clients treat the token as opaque text longer than 32 characters.
type accessClaims struct {
	jwt.RegisteredClaims
	Client   string                `json:"client_id"`
	Scope    string                `json:"scope,omitempty"`
	Org      tenants.OrgID         `json:"org"`
	OrgName  string                `json:"org_name"`
	Kind     tenants.PrincipalKind `json:"kind"`
	Name     string                `json:"name"`
	RoleName string                `json:"role"`
}

// Client is whom a session was opened for, as OAuth names it: a service account,
// an API token, or for a person with a password the gateway's own endpoint.
func (s Session) Client() string {
	switch s.Kind {
	case tenants.KindServiceAccount, tenants.KindApp:
		return s.Principal
	case tenants.KindAPIToken:
		return s.Family
	}
	return passwordClient
}

func (s *Service) signAccessToken(ctx context.Context, org tenants.Organization, roleName string, session Session) (token, keyID string, err error) {
	key, err := s.signer.signing(ctx, PurposeAccessToken)
	if err != nil {
		return "", "", err
	}
	claims := accessClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: s.Issuer(org), Subject: session.Principal, Audience: jwt.ClaimStrings{s.policy.PublicURL}, ID: string(session.ID),
			IssuedAt: jwt.NewNumericDate(session.CreatedAt), ExpiresAt: jwt.NewNumericDate(session.ExpiresAt),
		},
		Client: session.Client(), Org: org.ID, OrgName: org.Name, Kind: session.Kind, Name: session.Name, RoleName: roleName,
	}
	if roleName != "" { // a role that was deleted meanwhile has none
		claims.Scope = RoleScope(roleName)
	}
	t := jwt.NewWithClaims(key.method, claims)
	t.Header["kid"], t.Header["typ"] = key.ID, accessTokenType
	token, err = t.SignedString(key.private)
	return token, key.ID, err
}

// accessToken is what a verified access token says.
type accessToken struct {
	session tenants.SessionID
	org     tenants.OrgID
	key     string // id of the key that signed it
}

// verifyAccessToken checks everything that a token shows by itself (RFC 9068 §4).
// Keys come from this site's own set and nowhere else, and each has one algorithm,
// whatever the header says (RFC 8725 §3.1).
func (s *Service) verifyAccessToken(ctx context.Context, token string) (accessToken, error) {
	t, err := jose.Parse(token, maxToken)
	if err != nil {
		return accessToken{}, unauthenticated()
	}
	key, err := s.signer.verifying(ctx, PurposeAccessToken, t.KeyID())
	if err != nil {
		return accessToken{}, err
	}
	var c accessClaims
	if t.CheckHeader(map[string]string{"alg": key.method.Alg(), "kid": key.ID, "typ": accessTokenType}) != nil ||
		t.Verify(key.method, key.public) != nil || t.Decode(&c) != nil || s.checkClaims(c) != nil {
		return accessToken{}, unauthenticated()
	}
	return accessToken{session: tenants.SessionID(c.ID), org: c.Org, key: key.ID}, nil
}

// checkClaims wants a token of this site that is good now. Its issuer fits the
// organization as that was called when the token was issued; that it is the
// session's organization is for who reads the session to check.
func (s *Service) checkClaims(c accessClaims) error {
	if c.ID == "" || c.Org == "" {
		return unauthenticated()
	}
	return jwt.NewValidator(
		jwt.WithIssuer(s.issuer(c.Org, c.OrgName)), jwt.WithAudience(s.policy.PublicURL),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(s.now),
	).Validate(c)
}

const unauthenticatedDetail = "The token is missing, expired or not valid."

func unauthenticated() error {
	return problem.New(problem.Unauthenticated, unauthenticatedDetail)
}
