package gateway_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/benchtest"
	"causeway/internal/dev"
	"causeway/internal/secret"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// batch is how many tokens are shown in a round.
const batch = 1000

// shown is a token and a session that there is: its own, if it has one.
type shown struct{ token, session string }

// firstUse measures what tokens cost more when they are shown for the first time than
// afterwards.
type firstUse struct {
	site  interface{ Public() http.Handler }
	path  string
	key   any // that verifies them
	alg   string
	token func() shown
	read  func(session string) // as the database alone lets one
}

// rounds shows n tokens, and reports the ratio to one verification (x-verify) and to
// that and one read of a session (x-bar), of processor time. Those are made beside
// requests with a known token: by themselves, all the same one after another, they find
// everything in the processor's caches and take half as long.
func (f firstUse) rounds(b *testing.B, n int) {
	tokens := make([]shown, batch)
	spent := func(do func(shown)) float64 {
		before := processorTime()
		for _, t := range tokens {
			do(t)
		}
		return float64(processorTime() - before)
	}
	use := func(t shown) {
		r := httptest.NewRequest(http.MethodGet, f.path, nil)
		r.Header.Set("Authorization", "Bearer "+t.token)
		w := httptest.NewRecorder()
		f.site.Public().ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
	verify := func(t shown) {
		_, err := jwt.Parse(t.token, func(*jwt.Token) (any, error) { return f.key, nil }, jwt.WithValidMethods([]string{f.alg}))
		must(b, err)
	}
	known := f.token()
	use(known)
	var added, verified, both benchtest.Series
	for range n / batch {
		for i := range tokens {
			tokens[i] = f.token()
		}
		runtime.GC() // what making them left is not their use's, nor is what the collector left
		for range batch {
			use(known)
		}
		first := spent(use)
		again := spent(use)
		added.Add(first - again)
		verified.Add(spent(func(t shown) { use(known); verify(t) }) - again)
		both.Add(spent(func(t shown) { use(known); verify(t); f.read(t.session) }) - again)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(added.Per(verified), "x-verify")
	b.ReportMetric(added.Per(both), "x-bar")
	b.ReportMetric(added.Median()/batch/1000, "added-cpu-µs")
}

// BenchmarkFirstUse is of an app's token, which no row stands behind, and of a service
// account's: at the cell that gave it out by a refresh, and at another, which reads its
// session. With CAUSEWAY_SCALE=1 there are a million of apps,
// many more than a cell remembers; heap-MiB is what is alive after them.
func BenchmarkFirstUse(b *testing.B) {
	b.Run("app", func(b *testing.B) {
		n := 9 * batch
		if os.Getenv("CAUSEWAY_SCALE") != "" {
			n = 1000 * batch
		}
		p := sitetest.Start(b, storetest.SQLite, func(o *dev.Options) { o.Site = "west" })
		c, site := p.Client, p.Site("west")
		e := openEchoAt(b, c, benchtest.Instance(b), "echo:admin")
		keys, err := site.OAuth().ServiceKeys(b.Context())
		must(b, err)
		sign, session := signer(b, site.OAuth(), e), sessionOf(b, c.Login(b, "west", "acme"))
		f := firstUse{
			site: site, path: echoPrefix + "/private/x", key: keys[0].Key, alg: "RS256", read: sessionRead(b, p),
			token: func() shown { return shown{sign(), session} },
		}
		statements := site.DB().Statements()
		f.rounds(b, n)
		b.ReportMetric(float64(site.DB().Statements()-statements), "statements")
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
	})
	b.Run("account", func(b *testing.B) { firstUseOfAccount(b, false) })
	b.Run("account elsewhere", func(b *testing.B) { firstUseOfAccount(b, true) })
}

func firstUseOfAccount(b *testing.B, elsewhere bool) {
	p := sitetest.Start(b, storetest.SQLite, func(o *dev.Options) { o.Site = "west" })
	c, site := p.Client, p.Site("west")
	id, _ := c.Account(b, "west", c.Login(b, "west", "acme"), "inventory-bot")
	_, refresh := c.Connect(b, "west", "acme", id)
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	must(b, json.Unmarshal(c.Get(b, "west", "/oauth/tenant/acme/jwks", nil).Want(b, http.StatusOK).Body, &set))
	key, err := publicKey(set.Keys[0])
	must(b, err)
	org, err := site.Directory().ByName(b.Context(), "acme")
	must(b, err)
	firstUse{site: site, path: "/sample/inventory", key: key, alg: "ES256", read: sessionRead(b, p), token: func() shown {
		if elsewhere { // this cell is not told what it gives out
			tokens, err := site.OAuth().Refresh(b.Context(), tenants.Caller{Source: "192.0.2.1"}, org, "", secret.Text(refresh))
			must(b, err)
			refresh = tokens.RefreshToken.Reveal()
			return shown{tokens.AccessToken.Reveal(), string(tokens.Session.ID)}
		}
		a := c.Refresh(b, "west", "acme", refresh).Want(b, http.StatusOK)
		refresh = a.String(b, "refresh_token")
		token := a.String(b, "access_token")
		return shown{token, sessionOf(b, token)}
	}}.rounds(b, 9*batch)
}

// signer signs tokens of the app as the site would.
func signer(b *testing.B, site *oauth.Service, e *echo) func() string {
	var claims struct {
		Version int64 `json:"cw_sv"`
		Epoch   int64 `json:"cw_am"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(e.token, ".")[1])
	must(b, err)
	must(b, json.Unmarshal(payload, &claims))
	return func() string {
		now := time.Now()
		token, err := site.SignServiceToken(b.Context(), oauth.ServiceToken{
			ID: tenants.NewID(), Client: e.id, Org: tenants.OrgID(e.org), Subject: "client:" + e.id, User: e.id, Account: e.id, Context: tenants.NewID(),
			Perms: []string{"external/" + e.definition + "/echo:admin"}, IssuedAt: now, ExpiresAt: now.Add(time.Hour),
			App: &oauth.AppClaims{SecretVersion: claims.Version, Epoch: claims.Epoch},
		})
		must(b, err)
		return token
	}
}

func sessionOf(b *testing.B, token string) string {
	var claims jwt.RegisteredClaims
	_, _, err := jwt.NewParser().ParseUnverified(token, &claims)
	must(b, err)
	return claims.ID
}

// sessionRead reads sessions by a prepared statement.
func sessionRead(b *testing.B, p *sitetest.Pair) func(session string) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.Folder, "west", "causeway.db")+"?mode=ro")
	must(b, err)
	b.Cleanup(func() { _ = db.Close() })
	read, err := db.Prepare("SELECT id, org_id, kind, principal, name, software_id, role_id, created_at, expires_at, last_used, ended_at FROM sessions WHERE id = ?")
	must(b, err)
	return func(session string) {
		var texts [7]string
		var times [4]int64
		must(b, read.QueryRowContext(context.Background(), session).Scan(
			&texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &texts[5], &texts[6], &times[0], &times[1], &times[2], &times[3]))
	}
}
