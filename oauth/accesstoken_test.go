package oauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// Every token says who issued it for whom, as RFC 9068 wants it (§2.2), whoever got
// it.
func TestAccessToken_VCD8_RFC9068(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	a := w.newAccount()
	token, ofToken := w.apiToken()
	for name, tt := range map[string]struct {
		token       secret.Text
		sub, client string
		role        string
	}{
		"an account":   {w.activate(a).AccessToken, string(a.ID), string(a.ID), deployer},
		"an API token": {ofToken.AccessToken, string(w.user.ID), string(token.ID), tenants.OrganizationAdministrator},
		"a person":     {w.login().AccessToken, string(w.user.ID), "cloudapi", tenants.OrganizationAdministrator},
	} {
		f := newForgerOf(w, tt.token.Reveal())
		for claim, want := range map[string]any{
			"iss": issuer + "/oauth/tenant/" + url.PathEscape(w.snapshot().Name), "sub": tt.sub, "client_id": tt.client,
			"scope": oauth.RoleScope(tt.role), "role": tt.role, "org": string(w.org),
		} {
			if f.claims[claim] != want {
				t.Errorf("%s: %s is %v, want %v", name, claim, f.claims[claim], want)
			}
		}
		if aud, _ := f.claims["aud"].([]any); len(aud) != 1 || aud[0] != issuer {
			t.Errorf("%s: aud is %v", name, f.claims["aud"])
		}
		if len(f.header) != 3 {
			t.Errorf("%s: the header is %v", name, f.header)
		}
	}
	if got := w.service.Issuer(tenants.Organization{ID: tenants.SystemOrgID, Name: tenants.SystemOrgName}); got != issuer+"/oauth/provider" {
		t.Errorf("the provider's issuer is %s", got)
	}
}

// An organization that got another name, and names as long and awkward as they can
// be, lose nobody a session.
func TestAccessToken_R5_Names(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		before := w.login().AccessToken
		awkward := strings.Repeat("<", tenants.MaxName)
		w.inTenants(func(tx tenants.Tx) error {
			o, err := tx.Organization(w.org)
			if err != nil {
				return err
			}
			o.Name = awkward
			if err := tx.UpdateOrganization(o); err != nil {
				return err
			}
			r := tenants.Role{ID: tenants.RoleID(tenants.NewID()), Org: w.org, Name: awkward, Rights: []tenants.Right{viewCatalogs}}
			if err := tx.CreateRole(r); err != nil {
				return err
			}
			u := w.user
			u.ID, u.Name, u.Role = tenants.UserID(tenants.NewID()), awkward, r.ID
			w.user = u
			return tx.CreateUser(u)
		})
		w.orgs.Flush()
		w.wantAlive(before, true)
		w.wantAlive(w.login().AccessToken, true)
	})
}

// A key counts for its own purpose, by its own algorithm, until it is retired.
func TestForgery_R5_KeysOfTheSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	f := newForger(w)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	modulus, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	store := func(k oauth.SigningKey, private crypto.Signer) []byte {
		k.Public, err = x509.MarshalPKIXPublicKey(private.Public())
		w.must(err)
		k.ID = string(site) + "." + k.ID
		k.Private, k.CreatedAt, k.SignsFrom = []byte{}, w.clock.now(), w.clock.now().Add(day)
		w.must(w.db.OAuth().InTx(w.ctx(), func(tx oauth.Tx) error { return tx.CreateSigningKey(k) }))
		return k.Public
	}
	store(oauth.SigningKey{ID: "ours", Purpose: oauth.PurposeAccessToken, Algorithm: oauth.ES256}, curve)
	store(oauth.SigningKey{ID: "else", Purpose: "instance", Algorithm: oauth.ES256}, curve)
	store(oauth.SigningKey{ID: "over", Purpose: oauth.PurposeAccessToken, Algorithm: oauth.ES256, RetiredAt: w.clock.now()}, curve)
	der := store(oauth.SigningKey{ID: "rsa", Purpose: oauth.PurposeAccessToken, Algorithm: oauth.RS256}, modulus)
	w.clock.add(2 * time.Second)
	for _, tt := range []struct {
		name   string
		kid    string
		method jwt.SigningMethod
		key    any
		alg    string // other than the method's
		want   problem.Code
	}{
		{"of this purpose", "ours", jwt.SigningMethodES256, curve, "", ""},
		{"of another purpose", "else", jwt.SigningMethodES256, curve, "", problem.Unauthenticated},
		{"retired", "over", jwt.SigningMethodES256, curve, "", problem.Unauthenticated},
		{"RSA", "rsa", jwt.SigningMethodRS256, modulus, "", ""},
		{"RSA by another hash", "rsa", jwt.SigningMethodRS512, modulus, "", problem.Unauthenticated},
		{"RSA by another padding", "rsa", jwt.SigningMethodPS256, modulus, "", problem.Unauthenticated},
		{"RSA by another padding, called ours", "rsa", jwt.SigningMethodPS256, modulus, "RS256", problem.Unauthenticated},
		{"RSA, called ECDSA", "rsa", jwt.SigningMethodRS256, modulus, "ES256", problem.Unauthenticated},
		{"ECDSA under the RSA key's id", "rsa", jwt.SigningMethodES256, curve, "", problem.Unauthenticated},
		{"RSA under the other key's id", "ours", jwt.SigningMethodRS256, modulus, "", problem.Unauthenticated},
		{"HMAC with the RSA key", "rsa", jwt.SigningMethodHS256, der, "", problem.Unauthenticated},
		{"HMAC with the RSA key, called RSA", "rsa", jwt.SigningMethodHS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "RS256", problem.Unauthenticated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.cell().Authenticate(t.Context(), f.token(tt.method, tt.key, func(h, c map[string]any) {
				with(h, "kid", string(site)+"."+tt.kid)
				if tt.alg != "" {
					with(h, "alg", tt.alg)
				}
			}))
			wantProblem(t, err, tt.want)
		})
	}
}
