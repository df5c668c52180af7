package direct

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	home    = tenants.SiteID("11111111-1111-4111-8111-111111111111")
	org     = "22222222-2222-4222-8222-222222222222"
	here    = tenants.OrgID("33333333-3333-4333-8333-333333333333")
	session = "44444444-4444-4444-8444-444444444444"
	origin  = "https://home.example"
)

// issuer is the home site of a token, as it answers another one.
type issuer struct {
	mu     sync.Mutex
	key    *ecdsa.PrivateKey
	active bool
	down   bool
	asked  map[string]int // by path
	bodies []string
	meet   func() // while a question is under way
	now    time.Time
}

func newIssuer(t testing.TB) (*issuer, *Introspector) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &issuer{key: key, active: true, asked: map[string]int{}, now: time.Now()}
	i, err := New(s.answer, 100, func() time.Time { return s.now })
	if err != nil {
		t.Fatal(err)
	}
	return s, i
}

func (s *issuer) answer(_ context.Context, site tenants.SiteID, _, path string, body []byte, _ int64) (int, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[path]++
	s.bodies = append(s.bodies, string(body))
	if s.down || site != home {
		return 0, nil, errors.New("down")
	}
	if path == TokenKeysPath {
		point, _ := s.key.PublicKey.Bytes()
		encode := base64.RawURLEncoding.EncodeToString
		text, _ := json.Marshal(map[string]any{"keys": []map[string]string{{
			"kty": "EC", "kid": "k1", "alg": "ES256", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:]),
		}}})
		return http.StatusOK, text, nil
	}
	a := Answer{Active: s.active, Kind: "serviceAccount", ID: "app", Name: "bot", SoftwareID: "sw", ExpiresAt: s.now.Add(time.Hour)}
	text, _ := json.Marshal(a)
	if s.meet != nil {
		s.meet()
	}
	return http.StatusOK, text, nil
}

// token is what a client shows; change makes it wrong.
func (s *issuer) token(t testing.TB, change func(claims jwt.MapClaims, header map[string]any)) string {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": origin + "/oauth/tenant/acme", "aud": origin, "jti": session, "org": org,
		"iat": s.now.Unix(), "exp": s.now.Add(time.Hour).Unix(),
	}
	made := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	made.Header["kid"], made.Header["typ"] = "k1", "at+jwt"
	if change != nil {
		change(claims, made.Header)
	}
	text, err := made.SignedString(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func judge(t testing.TB, i *Introspector, token string) error {
	t.Helper()
	parsed, err := Parse(token)
	if err != nil {
		return notGood()
	}
	_, err = i.Judge(t.Context(), home, token, parsed, here)
	return err
}

func wantCode(t testing.TB, err error, code problem.Code) {
	t.Helper()
	if code == "" && err == nil {
		return
	}
	if !problem.Has(err, code) {
		t.Errorf("%v, want %q", err, code)
	}
}

// What is asked names the session; the token goes nowhere (I2).
func TestJudge_I2_TheTokenStaysHere(t *testing.T) {
	s, i := newIssuer(t)
	token := s.token(t, nil)
	wantCode(t, judge(t, i, token), "")
	parts := strings.Split(token, ".")
	for _, body := range s.bodies {
		if strings.Contains(body, parts[2]) || strings.Contains(body, parts[1]) {
			t.Errorf("the token was sent: %s", body)
		}
	}
	if s.asked[IntrospectPath] != 1 || !strings.Contains(strings.Join(s.bodies, ""), session) {
		t.Errorf("asked %v: %v", s.asked, s.bodies)
	}
}

// Nobody but who holds a token that the site signed makes us ask it.
func TestJudge_R5_R13_MadeUpTokensAskNobody(t *testing.T) {
	s, i := newIssuer(t)
	wantCode(t, judge(t, i, s.token(t, nil)), "")
	for name, change := range map[string]func(jwt.MapClaims, map[string]any){
		"expired":        func(c jwt.MapClaims, _ map[string]any) { c["exp"] = s.now.Add(-time.Hour).Unix() },
		"no expiry":      func(c jwt.MapClaims, _ map[string]any) { delete(c, "exp") },
		"issued later":   func(c jwt.MapClaims, _ map[string]any) { c["iat"] = s.now.Add(time.Hour).Unix() },
		"other audience": func(c jwt.MapClaims, _ map[string]any) { c["aud"] = "https://elsewhere.example" },
		"no session":     func(c jwt.MapClaims, _ map[string]any) { delete(c, "jti") },
		"no org":         func(c jwt.MapClaims, _ map[string]any) { delete(c, "org") },
		"other type":     func(_ jwt.MapClaims, h map[string]any) { h["typ"] = "JWT" },
		"own key":        func(_ jwt.MapClaims, h map[string]any) { h["jwk"] = map[string]string{} },
		"unknown key":    func(_ jwt.MapClaims, h map[string]any) { h["kid"] = "k2" },
		"plain issuer":   func(c jwt.MapClaims, _ map[string]any) { c["iss"] = "http://home.example" },
	} {
		err := judge(t, i, s.token(t, change))
		if !problem.Has(err, problem.Unauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := s.token(t, nil)
	wantCode(t, judge(t, i, good[:len(good)-6]+"AAAAAA"), problem.Unauthenticated)
	if s.asked[IntrospectPath] != 1 || s.asked[TokenKeysPath] != 1 {
		t.Errorf("asked %v", s.asked)
	}
	s.now = s.now.Add(relearn)
	_ = judge(t, i, s.token(t, func(_ jwt.MapClaims, h map[string]any) { h["kid"] = "k3" }))
	_ = judge(t, i, s.token(t, func(_ jwt.MapClaims, h map[string]any) { h["kid"] = "k4" }))
	if s.asked[TokenKeysPath] != 2 {
		t.Errorf("keys were fetched %d times in half a minute", s.asked[TokenKeysPath])
	}
}

// A positive answer counts for 30 seconds, also while home is away, and then not:
// and what cannot be found out is no 401 (R4, R10).
func TestJudge_R4_BelievedForHalfAMinute(t *testing.T) {
	s, i := newIssuer(t)
	token := s.token(t, nil)
	wantCode(t, judge(t, i, token), "")
	s.down = true
	s.now = s.now.Add(believed - time.Second)
	wantCode(t, judge(t, i, token), "")
	s.now = s.now.Add(time.Second)
	wantCode(t, judge(t, i, token), problem.SiteUnreachable)
	s.down, s.active = false, false
	wantCode(t, judge(t, i, token), problem.Unauthenticated)
	asked := s.asked[IntrospectPath]
	wantCode(t, judge(t, i, token), problem.Unauthenticated)
	if s.asked[IntrospectPath] != asked {
		t.Error("a dead token has its home asked each time")
	}
}

// What the feed names, and everything after a gap, is asked for again; also what
// was under way when it was heard of (I10).
func TestForget_I10_R4(t *testing.T) {
	for name, forget := range map[string]func(*Introspector){
		"the session":          func(i *Introspector) { i.Forget(home, federation.Revocation{Kind: journal.KindSession, ID: session}) },
		"the account":          func(i *Introspector) { i.Forget(home, federation.Revocation{Kind: journal.KindAccount, ID: "app"}) },
		"the organization":     func(i *Introspector) { i.Forget(home, federation.Revocation{Kind: journal.KindOrganization, ID: org}) },
		"the key":              func(i *Introspector) { i.Forget(home, federation.Revocation{Kind: journal.KindKey, ID: "k1"}) },
		"something new":        func(i *Introspector) { i.Forget(home, federation.Revocation{Kind: "new", ID: "1"}) },
		"everything, by a gap": func(i *Introspector) { i.Flush(home) },
	} {
		s, i := newIssuer(t)
		token := s.token(t, nil)
		wantCode(t, judge(t, i, token), "")
		s.active = false
		forget(i)
		if err := judge(t, i, token); !problem.Has(err, problem.Unauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, i := newIssuer(t)
	token := s.token(t, nil)
	i.Forget("other", federation.Revocation{Kind: journal.KindSession, ID: session})
	s.meet = func() { i.Flush(home) } // the answer is from before the gap was noticed
	wantCode(t, judge(t, i, token), "")
	s.meet, s.active = nil, false
	wantCode(t, judge(t, i, token), problem.Unauthenticated)
}

func FuzzParse(f *testing.F) {
	s, _ := newIssuer(f)
	f.Add(s.token(f, nil))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		parsed, err := Parse(token)
		if err == nil && (!strings.HasPrefix(parsed.Origin(), "https://") || parsed.Org() == "") {
			t.Fatalf("%q has origin %q", token, parsed.Origin())
		}
	})
}

func FuzzParseKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"EC","kid":"k","alg":"ES256","crv":"P-256","x":"AA","y":"AA"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if keys, err := parseKeySet(text); err == nil && len(keys) > maxKeys {
			t.Fatal("too many keys")
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"active":true,"kind":"user","name":"ada"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if a, err := parseAnswer(text); err == nil && a.Active && a.Name == "" {
			t.Fatal("somebody without a name")
		}
	})
}

func FuzzParseQuestion(f *testing.F) {
	f.Add(`{"session":"` + session + `","org":"` + org + `","here":"` + string(here) + `"}`)
	f.Fuzz(func(t *testing.T, text string) {
		if q, err := ParseQuestion(strings.NewReader(text)); err == nil && (q.Session == "" || q.Here == "") {
			t.Fatal("a question about nothing")
		}
	})
}
