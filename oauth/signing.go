package oauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/tenants"
)

const (
	sealSigningKey = "signing-key"
	algorithm      = "ES256"
	tokenType      = "at+jwt" // RFC 9068 §2.1
	leeway         = 30 * time.Second
	maxToken       = 4096 // bytes; ours are about 700
)

// claims of an access token. Nobody but this gateway reads them: clients treat
// the token as opaque text longer than 32 characters.
type claims struct {
	jwt.RegisteredClaims
	Org      tenants.OrgID         `json:"org"`
	OrgName  string                `json:"org_name"`
	Kind     tenants.PrincipalKind `json:"kind"`
	Name     string                `json:"name"`
	RoleName string                `json:"role"`
}

// signer holds the site's keys for access tokens: the newest signs, all verify.
type signer struct {
	store Store
	keys  *secret.Keys
	now   func() time.Time

	reading sync.Mutex // held while the set is read again

	mu       sync.RWMutex
	current  string
	private  *ecdsa.PrivateKey
	public   map[string]*ecdsa.PublicKey
	reloaded time.Time
}

// Start makes sure there is a key to sign with. Two cells starting at once may
// make two; both verify and the newer signs.
func (s *Service) Start(ctx context.Context) error {
	if err := s.signer.reload(ctx); err != nil {
		return err
	}
	if s.signer.current != "" {
		return nil
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return err
	}
	sealed := s.keys.Seal(sealSigningKey, private8)
	key := SigningKey{ID: secret.Base62(16), Algorithm: algorithm, Public: public, Private: sealed, CreatedAt: s.clock()}
	err = s.store.InTx(ctx, func(tx Tx) error {
		if err := tx.CreateSigningKey(key); err != nil {
			return err
		}
		return tx.Record(journal.Entry{
			At: key.CreatedAt, Org: string(tenants.SystemOrgID), Actor: journal.System, Action: journal.KeyCreated,
			Subject: journal.Subject{Kind: journal.KindKey, ID: key.ID, Name: "access tokens"},
		})
	})
	if err != nil {
		return err
	}
	return s.signer.reload(ctx)
}

func (g *signer) reload(ctx context.Context) error {
	var stored []SigningKey
	err := g.store.View(ctx, func(r Reader) (err error) {
		stored, err = r.SigningKeys()
		return err
	})
	if err != nil {
		return err
	}
	public := make(map[string]*ecdsa.PublicKey, len(stored))
	var newest SigningKey
	for _, k := range stored {
		parsed, err := x509.ParsePKIXPublicKey(k.Public)
		if err != nil {
			return fmt.Errorf("signing key %s: %w", k.ID, err)
		}
		key, ok := parsed.(*ecdsa.PublicKey)
		if !ok {
			return fmt.Errorf("signing key %s is not an EC key", k.ID)
		}
		public[k.ID] = key
		if newest.ID == "" || k.CreatedAt.After(newest.CreatedAt) {
			newest = k
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.public, g.reloaded = public, g.now()
	if newest.ID == "" || newest.ID == g.current {
		return nil
	}
	plain, err := g.keys.Open(sealSigningKey, newest.Private)
	if err != nil {
		return fmt.Errorf("signing key %s cannot be opened with this master key: %w", newest.ID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return err
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return fmt.Errorf("signing key %s is not an EC key", newest.ID)
	}
	g.current, g.private = newest.ID, private
	return nil
}

func (g *signer) sign(issuer string, org tenants.Organization, roleName string, session Session) (string, error) {
	g.mu.RLock()
	kid, private := g.current, g.private
	g.mu.RUnlock()
	if private == nil {
		return "", problem.New(problem.Unavailable, "The site is starting.").After(time.Second)
	}
	t := jwt.NewWithClaims(jwt.SigningMethodES256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: session.Principal, ID: string(session.ID), Audience: jwt.ClaimStrings{issuer},
			IssuedAt: jwt.NewNumericDate(session.CreatedAt), ExpiresAt: jwt.NewNumericDate(session.ExpiresAt),
		},
		Org: org.ID, OrgName: org.Name, Kind: session.Kind, Name: session.Name, RoleName: roleName,
	})
	t.Header["kid"], t.Header["typ"] = kid, tokenType
	return t.SignedString(private)
}

// verify checks a token's signature and times and returns its session id. Keys
// come from this site's own set and nowhere else; whatever a header offers is
// ignored, and critical extensions, of which we understand none, are refused.
func (g *signer) verify(ctx context.Context, issuer, token string) (tenants.SessionID, error) {
	// Even strict base64 skips line breaks, and a token has one spelling.
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return "", unauthenticated()
	}
	var c claims
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{algorithm}), jwt.WithIssuer(issuer), jwt.WithAudience(issuer),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(g.now),
	).ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		if _, critical := t.Header["crit"]; critical || t.Header["typ"] != tokenType {
			return nil, jwt.ErrTokenUnverifiable
		}
		kid, _ := t.Header["kid"].(string)
		return g.publicKey(ctx, kid)
	})
	if problem.As(err) != nil {
		return "", err
	}
	if err != nil || c.ID == "" {
		return "", unauthenticated()
	}
	return tenants.SessionID(c.ID), nil
}

// publicKey finds a key by id. An id we do not know may belong to a key that
// another cell has just made, so the set is read again, at most once a second
// lest strangers make us read it for every token they invent.
func (g *signer) publicKey(ctx context.Context, kid string) (*ecdsa.PublicKey, error) {
	key, stale := g.known(kid)
	if key == nil && stale {
		g.reading.Lock() // one reads, whoever comes meanwhile finds what it read
		defer g.reading.Unlock()
		if key, stale = g.known(kid); key == nil && stale {
			if err := g.reload(ctx); err != nil {
				return nil, err
			}
			key, _ = g.known(kid)
		}
	}
	if key == nil {
		return nil, jwt.ErrTokenUnverifiable
	}
	return key, nil
}

// known returns a key of the set, or nil, and whether the set may be read again.
func (g *signer) known(kid string) (key *ecdsa.PublicKey, stale bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.public[kid], g.now().Sub(g.reloaded) > time.Second
}

func unauthenticated() error {
	return problem.New(problem.Unauthenticated, "The token is missing, expired or not valid.")
}
