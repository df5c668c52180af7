package direct

import (
	"crypto"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/jose"
	"causeway/tenants"
)

const (
	tokenType = "at+jwt" // RFC 9068 §2.1
	// maxToken is what any site of ours issues at most, in bytes.
	maxToken = 8192
	leeway   = 30 * time.Second
)

// Token is an access token of some site, taken apart. Nothing in it is to be
// believed yet.
type Token struct {
	jose   jose.Token
	claims claims
	origin string
}

type claims struct {
	jwt.RegisteredClaims
	Org tenants.OrgID `json:"org"`
}

// Parse takes a token apart. It is an error unless it looks like an access token
// of a site: nobody needs to be asked about anything else.
func Parse(token string) (Token, error) {
	t := Token{}
	var err error
	if t.jose, err = jose.Parse(token, maxToken); err != nil {
		return Token{}, err
	}
	if err := t.jose.Decode(&t.claims); err != nil {
		return Token{}, err
	}
	for _, id := range []string{t.claims.ID, string(t.claims.Org)} {
		if canonical, err := tenants.ParseUUID(id); err != nil || canonical != id {
			return Token{}, errors.New("direct: the token names no session or no organization")
		}
	}
	issuer, err := url.Parse(t.claims.Issuer)
	if err != nil || issuer.Scheme != "https" || issuer.Host == "" || issuer.User != nil {
		return Token{}, errors.New("direct: the token's issuer is no site")
	}
	t.origin = strings.ToLower(issuer.Scheme + "://" + issuer.Host)
	return t, nil
}

// Origin is https://host[:port] of the site that the token says is its issuer.
func (t Token) Origin() string { return t.origin }

// Org is the organization that the token says it is of.
func (t Token) Org() tenants.OrgID { return t.claims.Org }

// verify checks the token with a key of its issuer (RFC 9068 §4). Its audience is
// the issuer's site as well: it is shown here by virtue of the association.
func (t Token) verify(k key, now time.Time) error {
	want := map[string]string{"alg": k.method.Alg(), "kid": t.jose.KeyID(), "typ": tokenType}
	if err := t.jose.CheckHeader(want); err != nil {
		return err
	}
	if err := t.jose.Verify(k.method, k.public); err != nil {
		return err
	}
	if len(t.claims.Audience) != 1 || !strings.EqualFold(strings.TrimSuffix(t.claims.Audience[0], "/"), t.origin) {
		return errors.New("direct: the token is for somebody else")
	}
	return jwt.NewValidator(jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(func() time.Time { return now })).Validate(t.claims)
}

// key verifies tokens of one site, by one algorithm.
type key struct {
	method jwt.SigningMethod
	public crypto.PublicKey
}
