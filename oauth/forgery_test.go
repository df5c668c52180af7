package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/tenants"
)

// forger has a real token, and the key that signed it, to begin each forgery
// from something that would pass.
type forger struct {
	*world
	genuine string
	private *ecdsa.PrivateKey
	header  map[string]any
	claims  map[string]any
}

func newForger(w *world) *forger {
	w.t.Helper()
	return newForgerOf(w, w.activate(w.newAccount()).AccessToken.Reveal())
}

func newForgerOf(w *world, genuine string) *forger {
	w.t.Helper()
	f := &forger{world: w, genuine: genuine}
	_, private := w.service.SigningKey()
	f.private = private.(*ecdsa.PrivateKey)
	parts := strings.Split(f.genuine, ".")
	f.header, f.claims = f.members(parts[0]), f.members(parts[1])
	return f
}

func (f *forger) members(part string) (m map[string]any) {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	f.must(err)
	f.must(json.Unmarshal(raw, &m))
	return m
}

// token signs what change makes of the genuine token.
func (f *forger) token(method jwt.SigningMethod, key any, change func(header, claims map[string]any)) string {
	f.t.Helper()
	header, claims := maps.Clone(f.header), maps.Clone(f.claims)
	header["alg"] = method.Alg()
	change(header, claims)
	s, err := (&jwt.Token{Method: method, Header: header, Claims: jwt.MapClaims(claims)}).SignedString(key)
	f.must(err)
	return s
}

// signed is by the site's own key: only what change did is wrong with it.
func (f *forger) signed(change func(header, claims map[string]any)) string {
	f.t.Helper()
	return f.token(jwt.SigningMethodES256, f.private, change)
}

// stolen is somebody else's key under the site's key id.
func (f *forger) stolen(change func(header, claims map[string]any)) string {
	f.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	f.must(err)
	return f.token(jwt.SigningMethodES256, key, change)
}

// raw signs a header and claims as they are written, by the site's own key. Each
// edit is made in the text of the genuine token's.
func (f *forger) raw(header, claims func(string) string) string {
	f.t.Helper()
	parts := strings.Split(f.genuine, ".")
	var written [2]string
	for i, edit := range []func(string) string{header, claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		f.must(err)
		written[i] = base64.RawURLEncoding.EncodeToString([]byte(edit(string(text))))
	}
	sig, err := jwt.SigningMethodES256.Sign(written[0]+"."+written[1], f.private)
	f.must(err)
	return written[0] + "." + written[1] + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func same(s string) string { return s }

// also writes one more member in front.
func also(member string) func(string) string {
	return func(s string) string { return "{" + member + "," + s[1:] }
}

// renamed spells a member's name otherwise.
func renamed(from, to string) func(string) string {
	return func(s string) string { return strings.Replace(s, `"`+from+`":`, `"`+to+`":`, 1) }
}

func (f *forger) publicDER() []byte {
	der, err := x509.MarshalPKIXPublicKey(&f.private.PublicKey)
	f.must(err)
	return der
}

// otherAlgorithm is what the list of algorithms alone refuses: a right signature
// by the right key, over another hash.
func (f *forger) otherAlgorithm() string {
	header := maps.Clone(f.header)
	header["alg"] = "ES384"
	text, err := (&jwt.Token{Header: header, Claims: jwt.MapClaims(f.claims)}).SigningString()
	f.must(err)
	digest := sha512.Sum384([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, f.private, digest[:])
	f.must(err)
	sig := make([]byte, 96)
	r.FillBytes(sig[:48])
	s.FillBytes(sig[48:])
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// signature is the genuine token with another signature.
func (f *forger) signature(change func(string) string) string {
	body, sig := f.genuine[:strings.LastIndex(f.genuine, ".")], f.genuine[strings.LastIndex(f.genuine, ".")+1:]
	return body + "." + change(sig)
}

func (f *forger) unix(d time.Duration) float64 { return float64(f.clock.now().Add(d).Unix()) }

func with(m map[string]any, name string, value any) { m[name] = value }

func TestForgery_R5(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	f := newForger(w)
	for _, tt := range []struct {
		name  string
		token func() string
		want  problem.Code
	}{
		{"what the forger starts from", func() string { return f.signed(func(h, c map[string]any) {}) }, ""},
		{"the same, written by hand", func() string { return f.raw(same, same) }, ""},
		{"claims of a newer cell", func() string { return f.signed(func(h, c map[string]any) { with(c, "colour", "blue") }) }, ""},
		{"one audience, not in a list", func() string { return f.signed(func(h, c map[string]any) { with(c, "aud", issuer) }) }, ""},

		{"a key in the header", func() string { return f.signed(func(h, c map[string]any) { with(h, "jwk", map[string]any{}) }) }, problem.Unauthenticated},
		{"a key in the header as text", func() string { return f.signed(func(h, c map[string]any) { with(h, "jwk", "{}") }) }, problem.Unauthenticated},
		{"a link to keys", func() string {
			return f.signed(func(h, c map[string]any) { with(h, "jku", "https://attacker.example/keys") })
		}, problem.Unauthenticated},
		{"a certificate", func() string { return f.signed(func(h, c map[string]any) { with(h, "x5c", []string{"MII"}) }) }, problem.Unauthenticated},
		{"a link to a certificate", func() string {
			return f.signed(func(h, c map[string]any) { with(h, "x5u", "https://attacker.example/cert") })
		}, problem.Unauthenticated},
		{"a member that nobody knows", func() string { return f.signed(func(h, c map[string]any) { with(h, "colour", "blue") }) }, problem.Unauthenticated},
		{"an unencoded payload", func() string { return f.signed(func(h, c map[string]any) { with(h, "b64", false) }) }, problem.Unauthenticated},
		{"the algorithm twice", func() string { return f.raw(also(`"alg":"none"`), same) }, problem.Unauthenticated},
		{"the key id twice", func() string { return f.raw(also(`"kid":"mine"`), same) }, problem.Unauthenticated},
		{"the algorithm twice, in other letters", func() string { return f.raw(also(`"Alg":"none"`), same) }, problem.Unauthenticated},
		{"the type in other letters", func() string { return f.raw(renamed("typ", "Typ"), same) }, problem.Unauthenticated},
		{"the algorithm of the other family", func() string {
			return f.raw(func(s string) string { return strings.Replace(s, "ES256", "RS256", 1) }, same)
		}, problem.Unauthenticated},
		{"our key as if it were RSA's", func() string {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			f.must(err)
			return f.token(jwt.SigningMethodRS256, key, func(h, c map[string]any) {})
		}, problem.Unauthenticated},
		{"the expiry twice", func() string { return f.raw(same, also(`"exp":1`)) }, problem.Unauthenticated},
		{"the expiry in other letters", func() string { return f.raw(same, renamed("exp", "Exp")) }, problem.Unauthenticated},
		{"the expiry in other letters, too", func() string { return f.raw(same, also(`"EXP":99999999999`)) }, problem.Unauthenticated},
		{"the session twice", func() string { return f.raw(same, also(`"jti":"x"`)) }, problem.Unauthenticated},
		{"the session twice, spelled otherwise", func() string { return f.raw(same, also(`"\u006ati":"x"`)) }, problem.Unauthenticated},
		{"a long s in a name", func() string { return f.raw(same, renamed("iss", "iſs")) }, problem.Unauthenticated},
		{"claims nested too deeply", func() string { return f.raw(same, also(`"n":[[[[[1]]]]]`)) }, problem.Unauthenticated},
		{"two JSON values", func() string { return f.raw(same, func(s string) string { return s + "{}" }) }, problem.Unauthenticated},
		{"an expiry that is no number", func() string { return f.signed(func(h, c map[string]any) { with(c, "exp", "tomorrow") }) }, problem.Unauthenticated},

		{"issued by a cell whose clock is ahead", func() string { return f.signed(func(h, c map[string]any) { with(c, "iat", f.unix(20*time.Second)) }) }, ""},
		{"no algorithm", func() string {
			return f.token(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, func(h, c map[string]any) {})
		}, problem.Unauthenticated},
		{"no algorithm, in other letters", func() string {
			return f.token(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, func(h, c map[string]any) { with(h, "alg", "nOnE") })
		}, problem.Unauthenticated},
		{"our algorithm, no signature", func() string { return f.signature(func(string) string { return "" }) }, problem.Unauthenticated},
		{"HMAC with the public key as it is", func() string {
			return f.token(jwt.SigningMethodHS256, f.publicDER(), func(h, c map[string]any) {})
		}, problem.Unauthenticated},
		{"HMAC with the public key as PEM", func() string {
			return f.token(jwt.SigningMethodHS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: f.publicDER()}), func(h, c map[string]any) {})
		}, problem.Unauthenticated},
		{"HMAC that says it is ours", func() string {
			return f.token(jwt.SigningMethodHS256, f.publicDER(), func(h, c map[string]any) { with(h, "alg", "ES256") })
		}, problem.Unauthenticated},
		{"another algorithm of the family", func() string {
			key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
			f.must(err)
			return f.token(jwt.SigningMethodES384, key, func(h, c map[string]any) {})
		}, problem.Unauthenticated},
		{"our key under another algorithm", f.otherAlgorithm, problem.Unauthenticated},
		{"another key", func() string { return f.stolen(func(h, c map[string]any) {}) }, problem.Unauthenticated},
		{"another key, embedded", func() string {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			f.must(err)
			point, err := key.PublicKey.Bytes()
			f.must(err)
			return f.token(jwt.SigningMethodES256, key, func(h, c map[string]any) {
				with(h, "jwk", map[string]string{
					"kty": "EC", "crv": "P-256", "kid": "mine",
					"x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:]),
				})
				with(h, "kid", "mine")
			})
		}, problem.Unauthenticated},
		{"another key, linked", func() string {
			return f.stolen(func(h, c map[string]any) { with(h, "jku", "https://attacker.example/keys"); with(h, "kid", "mine") })
		}, problem.Unauthenticated},
		{"a key id that nobody knows", func() string { return f.signed(func(h, c map[string]any) { with(h, "kid", "nobody") }) }, problem.Unauthenticated},
		{"no key id", func() string { return f.signed(func(h, c map[string]any) { delete(h, "kid") }) }, problem.Unauthenticated},
		{"a key id that is no text", func() string { return f.signed(func(h, c map[string]any) { with(h, "kid", 1) }) }, problem.Unauthenticated},
		{"critical members", func() string {
			return f.signed(func(h, c map[string]any) { with(h, "crit", []string{"exp"}) })
		}, problem.Unauthenticated},
		{"an empty list of critical members", func() string { return f.signed(func(h, c map[string]any) { with(h, "crit", []string{}) }) }, problem.Unauthenticated},
		{"a token for another purpose", func() string { return f.signed(func(h, c map[string]any) { with(h, "typ", "JWT") }) }, problem.Unauthenticated},
		{"a token for no purpose", func() string { return f.signed(func(h, c map[string]any) { delete(h, "typ") }) }, problem.Unauthenticated},

		{"another issuer", func() string { return f.signed(func(h, c map[string]any) { with(c, "iss", "https://west.example") }) }, problem.Unauthenticated},
		{"the site itself as the issuer", func() string { return f.signed(func(h, c map[string]any) { with(c, "iss", issuer) }) }, problem.Unauthenticated},
		{"the provider as the issuer", func() string { return f.signed(func(h, c map[string]any) { with(c, "iss", issuer+"/oauth/provider") }) }, problem.Unauthenticated},
		{"another organization as the issuer", func() string {
			return f.signed(func(h, c map[string]any) { with(c, "iss", issuer+"/oauth/tenant/Else") })
		}, problem.Unauthenticated},
		{"another organization, issuer and all", func() string {
			return f.signed(func(h, c map[string]any) {
				with(c, "org", tenants.NewID())
			})
		}, problem.Unauthenticated},
		{"the provider's organization, issuer and all", func() string {
			return f.signed(func(h, c map[string]any) {
				with(c, "org", string(tenants.SystemOrgID))
				with(c, "iss", issuer+"/oauth/provider")
			})
		}, problem.Unauthenticated},
		{"no organization", func() string { return f.signed(func(h, c map[string]any) { delete(c, "org") }) }, problem.Unauthenticated},
		{"no issuer", func() string { return f.signed(func(h, c map[string]any) { delete(c, "iss") }) }, problem.Unauthenticated},
		{"another audience", func() string {
			return f.signed(func(h, c map[string]any) { with(c, "aud", []string{"https://west.example"}) })
		}, problem.Unauthenticated},
		{"no audience", func() string { return f.signed(func(h, c map[string]any) { delete(c, "aud") }) }, problem.Unauthenticated},
		{"no expiry", func() string { return f.signed(func(h, c map[string]any) { delete(c, "exp") }) }, problem.Unauthenticated},
		{"expired", func() string { return f.signed(func(h, c map[string]any) { with(c, "exp", f.unix(-61*time.Second)) }) }, problem.Unauthenticated},
		{"issued in the future", func() string { return f.signed(func(h, c map[string]any) { with(c, "iat", f.unix(61*time.Second)) }) }, problem.Unauthenticated},
		{"not valid yet", func() string { return f.signed(func(h, c map[string]any) { with(c, "nbf", f.unix(61*time.Second)) }) }, problem.Unauthenticated},
		{"no session", func() string { return f.signed(func(h, c map[string]any) { delete(c, "jti") }) }, problem.Unauthenticated},
		{"a session that never was", func() string { return f.signed(func(h, c map[string]any) { with(c, "jti", tenants.NewID()) }) }, problem.Unauthenticated},

		{"oversize", func() string {
			return f.signed(func(h, c map[string]any) { with(c, "padding", strings.Repeat("x", 8192)) })
		}, problem.Unauthenticated},
		{"base64 with bits left over", func() string { return f.signature(otherBits) }, problem.Unauthenticated},
		{"base64 with padding", func() string { return f.signature(func(s string) string { return s + "==" }) }, problem.Unauthenticated},
		{"base64 with a line break", func() string { return f.signature(func(s string) string { return s[:10] + "\n" + s[10:] }) }, problem.Unauthenticated},
		{"base64 with a carriage return at its end", func() string { return f.signature(func(s string) string { return s + "\r" }) }, problem.Unauthenticated},
		{"base64 of the other alphabet", func() string { return f.signature(otherAlphabet) }, problem.Unauthenticated},
		{"space around it", func() string { return " " + f.genuine }, problem.Unauthenticated},
		{"the scheme in front", func() string { return "Bearer " + f.genuine }, problem.Unauthenticated},
		{"a part too many", func() string { return f.genuine + ".e30" }, problem.Unauthenticated},
		{"a part too few", func() string { return f.genuine[:strings.LastIndex(f.genuine, ".")] }, problem.Unauthenticated},
		{"dots alone", func() string { return ".." }, problem.Unauthenticated},
		{"nothing", func() string { return "" }, problem.Unauthenticated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.cell().Authenticate(t.Context(), tt.token())
			wantProblem(t, err, tt.want)
			if p := problem.As(err); p != nil && p.Detail != "The token is missing, expired or not valid." {
				t.Errorf("the refusal says what is wrong: %q", p.Detail)
			}
		})
	}
}

// otherBits changes the bits of the last character that no byte needs.
func otherBits(sig string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, sig[len(sig)-1])
	return sig[:len(sig)-1] + string(alphabet[last^1])
}

// otherAlphabet writes the signature as plain base64 does; where that happens to
// be the same text, it adds one character of it.
func otherAlphabet(sig string) string {
	if other := strings.NewReplacer("-", "+", "_", "/").Replace(sig); other != sig {
		return other
	}
	return sig + "+"
}

// TestAccessToken_VCD8: a JWT that names its session, account, organization and
// role, and none of what must stay secret.
func TestAccessToken_VCD8(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	a := w.newAccount()
	tokens := w.activate(a)
	f := newForgerOf(w, tokens.AccessToken.Reveal())
	for name, want := range map[string]any{
		"iss": issuer + "/oauth/tenant/" + url.PathEscape(w.snapshot().Name), "sub": string(a.ID), "jti": string(tokens.Session.ID), "org": string(w.org), "org_name": w.snapshot().Name,
		"kind": "serviceAccount", "name": a.Name, "role": deployer,
		"client_id": string(a.ID), "scope": "urn:vcloud:role:Deployer",
		"iat": f.unix(0), "exp": f.unix(30 * day),
	} {
		if f.claims[name] != want {
			t.Errorf("%s is %v, want %v", name, f.claims[name], want)
		}
	}
	if kid, _ := w.service.SigningKey(); f.header["alg"] != "ES256" || f.header["typ"] != "at+jwt" || f.header["kid"] != kid {
		t.Errorf("the header is %v", f.header)
	}
}

// slow is a database that takes its time, so that many meet while it answers.
type slow struct{ oauth.Store }

func (s slow) View(ctx context.Context, f func(oauth.Reader) error) error {
	time.Sleep(20 * time.Millisecond)
	return s.Store.View(ctx, f)
}

// A token that nobody signed here costs the database nothing, so inventing
// tokens is no way to keep it busy; after a second one look for a new key is
// allowed, whatever number of them come at once.
func TestForgery_R5_R13_CostsTheDatabaseNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	f := newForger(w)
	w.service = w.newService(slow{w.db.OAuth()})
	cell := w.cell()
	unknown := func() string {
		return f.stolen(func(h, c map[string]any) { with(h, "kid", string(site)+"."+tenants.NewID()) })
	}
	unsettled := false // of an id that nobody looked for yet nothing is known
	cost := func(tokens ...string) int64 {
		before := w.db.Statements()
		together(len(tokens), func(i int) {
			_, err := cell.Authenticate(w.ctx(), tokens[i])
			if unsettled && problem.Has(err, problem.Unavailable) {
				return
			}
			wantProblem(t, err, problem.Unauthenticated)
		})
		return w.db.Statements() - before
	}
	w.clock.add(time.Hour)
	if n := cost(f.stolen(func(h, c map[string]any) {}), "", "invented", strings.Repeat("a", 5000), f.signature(otherBits)); n != 0 {
		t.Errorf("five invented tokens cost %d statements", n)
	}
	if n := cost(f.stolen(func(h, c map[string]any) { with(h, "kid", tenants.NewID()+"."+tenants.NewID()) })); n != 0 {
		t.Errorf("a token of another site's key costs %d statements", n)
	}
	var tokens []string
	for range 40 {
		tokens = append(tokens, unknown())
	}
	unsettled = true
	if n := cost(tokens...); n > 1 {
		t.Errorf("forty tokens of unknown keys at once cost %d statements, want at most one", n)
	}
	w.clock.add(900 * time.Millisecond)
	if n := cost(tokens...); n != 0 {
		t.Errorf("forty more in the same second cost %d statements", n)
	}
	w.clock.add(200 * time.Millisecond)
	if n := cost(tokens...); n > 1 {
		t.Errorf("forty more after it cost %d statements", n)
	}
}

// A key that another cell has made since is found.
func TestKeys_R5_OfAnotherCellAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	cell := w.cell()
	stale := w.service
	old, _ := stale.SigningKey()
	w.clock.add(time.Minute)
	_, err := w.newService(w.db.OAuth()).RotateKey(w.ctx(), w.admin, oauth.KeyRotation{Purpose: oauth.PurposeAccessToken, AtOnce: true})
	w.must(err)
	other := w.newService(w.db.OAuth())
	if fresh, _ := other.SigningKey(); fresh == old {
		t.Fatal("the newer key does not sign")
	}
	w.service = other
	a := w.newAccount()
	token := w.activate(a).AccessToken
	_, err = cell.Authenticate(w.ctx(), token.Reveal())
	wantProblem(t, err, "")
	w.service = stale
	token = w.activate(a).AccessToken // whatever signs, all verify
	w.service = other
	w.wantAlive(token, true)
}

// FuzzAuthenticate: no text opens a session that was not signed here.
func FuzzAuthenticate(f *testing.F) {
	w := newWorld(f, newDB(f))
	genuine := w.activate(w.newAccount()).AccessToken.Reveal()
	for _, s := range []string{"", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", genuine[:len(genuine)-1], strings.Repeat(".", 100)} {
		f.Add(s)
	}
	cell := w.cell()
	f.Fuzz(func(t *testing.T, token string) {
		_, err := cell.Authenticate(t.Context(), token)
		if token != genuine {
			wantProblem(t, err, problem.Unauthenticated)
		}
	})
}
