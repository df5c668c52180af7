package gateway_test

import (
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
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// batch is how many tokens are shown in a round.
const batch = 1000

// firstUse measures what tokens cost more when they are shown for the first time than
// afterwards.
type firstUse struct {
	site  interface{ Public() http.Handler }
	path  string
	key   any // that verifies them
	alg   string
	token func() string
	read  func() // of one session, as the database alone lets one
}

// rounds shows n tokens, and reports the ratio to one verification (x-verify) and to
// that and one read of a session (x-bar), of processor time.
func (f firstUse) rounds(b *testing.B, n int) {
	tokens := make([]string, batch)
	spent := func(do func(token string)) float64 {
		before := processorTime()
		for _, token := range tokens {
			do(token)
		}
		return float64(processorTime() - before)
	}
	use := func(token string) {
		r := httptest.NewRequest(http.MethodGet, f.path, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		f.site.Public().ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
	verify := func(token string) {
		_, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return f.key, nil }, jwt.WithValidMethods([]string{f.alg}))
		must(b, err)
	}
	use(f.token())
	var added, verified, both benchtest.Series
	for range n / batch {
		for i := range tokens {
			tokens[i] = f.token()
		}
		runtime.GC() // what making them left is not their use's
		first := spent(use)
		added.Add(first - spent(use))
		v := spent(verify)
		verified.Add(v)
		both.Add(v + spent(func(string) { f.read() }))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(added.Per(verified), "x-verify")
	b.ReportMetric(added.Per(both), "x-bar")
	b.ReportMetric(added.Median()/batch/1000, "added-cpu-µs")
}

// BenchmarkFirstUse is of an app's token, which no row stands behind, and of a service
// account's, whose session is read. With CAUSEWAY_SCALE=1 there are a million of apps,
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
		f := firstUse{site: site, path: echoPrefix + "/private/x", key: keys[0].Key, alg: "RS256", token: signer(b, site.OAuth(), e), read: sessionRead(b, p, c.Login(b, "west", "acme"))}
		statements := site.DB().Statements()
		f.rounds(b, n)
		b.ReportMetric(float64(site.DB().Statements()-statements), "statements")
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
	})
	b.Run("account", func(b *testing.B) {
		p := sitetest.Start(b, storetest.SQLite, func(o *dev.Options) { o.Site = "west" })
		c := p.Client
		id, _ := c.Account(b, "west", c.Login(b, "west", "acme"), "inventory-bot")
		access, refresh := c.Connect(b, "west", "acme", id)
		var set struct {
			Keys []map[string]string `json:"keys"`
		}
		must(b, json.Unmarshal(c.Get(b, "west", "/oauth/tenant/acme/jwks", nil).Want(b, http.StatusOK).Body, &set))
		key, err := publicKey(set.Keys[0])
		must(b, err)
		firstUse{site: p.Site("west"), path: "/sample/inventory", key: key, alg: "ES256", read: sessionRead(b, p, access), token: func() string {
			a := c.Refresh(b, "west", "acme", refresh).Want(b, http.StatusOK)
			refresh = a.String(b, "refresh_token")
			return a.String(b, "access_token")
		}}.rounds(b, 5*batch)
	})
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

// sessionRead reads the session of a token by a prepared statement.
func sessionRead(b *testing.B, p *sitetest.Pair, token string) func() {
	var claims jwt.RegisteredClaims
	_, _, err := jwt.NewParser().ParseUnverified(token, &claims)
	must(b, err)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.Folder, "west", "causeway.db")+"?mode=ro")
	must(b, err)
	b.Cleanup(func() { _ = db.Close() })
	read, err := db.Prepare("SELECT id, org_id, kind, principal, name, software_id, role_id, created_at, expires_at, last_used, ended_at FROM sessions WHERE id = ?")
	must(b, err)
	return func() {
		var texts [7]string
		var times [4]int64
		must(b, read.QueryRowContext(b.Context(), claims.ID).Scan(
			&texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &texts[5], &texts[6], &times[0], &times[1], &times[2], &times[3]))
	}
}
