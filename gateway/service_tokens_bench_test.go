package gateway_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
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

// BenchmarkServiceFirstUse measures what a token costs more when it is shown for the
// first time than afterwards, beside one RS256 verification (x-verify): no database,
// and no signature twice. With CAUSEWAY_SCALE=1 there are a million tokens, many more
// than a cell remembers; heap-MiB is what is alive after them.
func BenchmarkServiceFirstUse(b *testing.B) {
	n := 1000
	if os.Getenv("CAUSEWAY_SCALE") != "" {
		n = 1_000_000
	}
	p := sitetest.Start(b, storetest.SQLite, func(o *dev.Options) { o.Site = "west" })
	e := openEchoAt(b, p.Client, benchtest.Instance(b), "echo:admin")
	var claims struct {
		Version int64 `json:"cw_sv"`
		Epoch   int64 `json:"cw_am"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(e.token, ".")[1])
	must(b, err)
	must(b, json.Unmarshal(payload, &claims))
	site := p.Site("west")
	sign := func() string {
		now := time.Now()
		token, err := site.OAuth().SignServiceToken(b.Context(), oauth.ServiceToken{
			ID: tenants.NewID(), Client: e.id, Org: tenants.OrgID(e.org), Subject: "client:" + e.id, User: e.id, Account: e.id, Context: tenants.NewID(),
			Perms: []string{"external/" + e.definition + "/echo:admin"}, IssuedAt: now, ExpiresAt: now.Add(time.Hour),
			App: &oauth.AppClaims{SecretVersion: claims.Version, Epoch: claims.Epoch},
		})
		must(b, err)
		return token
	}
	keys, err := site.OAuth().ServiceKeys(b.Context())
	must(b, err)
	const batch = 1000
	tokens := make([]string, batch)
	use := func() time.Duration {
		before := processorTime()
		for _, token := range tokens {
			r := httptest.NewRequest(http.MethodGet, echoPrefix+"/private/x", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			site.Public().ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				b.Fatal(w.Code, w.Body)
			}
		}
		return processorTime() - before
	}
	verify := func() time.Duration {
		before := processorTime()
		for _, token := range tokens {
			_, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return keys[0].Key, nil }, jwt.WithValidMethods([]string{"RS256"}))
			must(b, err)
		}
		return processorTime() - before
	}
	e.ask(http.MethodGet, echoPrefix+"/private/x", e.token).Want(b, http.StatusOK)
	var ratio benchtest.Series
	statements := site.DB().Statements()
	for b.Loop() {
		for range n / batch {
			for i := range tokens {
				tokens[i] = sign()
			}
			first := use()
			ratio.Add(float64(first-use()) / float64(verify()))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ratio.Median(), "x-verify")
	b.ReportMetric(float64(site.DB().Statements()-statements), "statements")
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
}
