package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"

	"causeway/internal/benchtest"
	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// unbounded lets one client ask as often as it is answered.
func unbounded(c *config.Config) {
	many := func(n int) config.Budget { return config.Budget{Tokens: n * 100_000, Per: time.Second} }
	c.Limits.TokenRefresh.Account, c.Limits.TokenRefresh.Org = many(1), many(2)
	c.Limits.Management.Account, c.Limits.Management.Org = many(1), many(2)
	d := &c.Limits.DeviceAuthorization
	d.Source, d.ClientAtSource, d.Network, d.Client, d.Org, d.Site = many(1), many(1), many(2), many(4), many(4), many(4)
}

// beside runs two clients in turns, ours first, and reports the processor time of
// an answer, of ours and of the bare one, and their ratio.
func beside(b *testing.B, ours, bare *benchtest.Client) {
	var spent [2]time.Duration
	var requests [2]int
	for b.Loop() {
		for i, c := range []*benchtest.Client{ours, bare} {
			before := processorTime()
			requests[i] += c.Run(b, time.Second/2).Requests
			spent[i] += processorTime() - before
		}
	}
	each := func(i int) float64 { return share(spent[i], requests[i]) }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(each(0), "cpu-µs")
	b.ReportMetric(each(1), "bare-cpu-µs")
	b.ReportMetric(each(0)/each(1), "x-bare")
}

// bareEndpoint is one answer of the web framework that we use, and nothing else.
func bareEndpoint(b testing.TB, answer gin.HandlerFunc) string {
	engine := gin.New()
	engine.POST("/", answer)
	s := httptest.NewServer(engine)
	b.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// sixteen is a plan for as many connections that ask the same.
func sixteen(addr, path string, form url.Values) benchtest.Plan {
	return benchtest.Plan{Addr: addr, Path: path, Bodies: slices.Repeat([]string{form.Encode()}, 16), Status: http.StatusOK}
}

// BenchmarkIssue measures the access tokens that a user's API token gets, which
// does not rotate, beside an endpoint that only signs one like it and answers.
// Ours writes the session into a database, too, which is most of it on SQLite.
func BenchmarkIssue(b *testing.B) {
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		b.Run(string(kind), func(b *testing.B) {
			p := sitetest.Start(b, kind, sitetest.Adjust(unbounded), func(o *dev.Options) { o.Site = "west" })
			gate := httptest.NewServer(p.Site("west").Public())
			b.Cleanup(gate.Close)
			form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {apiToken(b, p)}}
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			must(b, err)
			signs := bareEndpoint(b, func(c *gin.Context) {
				now := time.Now().Unix()
				token, err := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
					"iss": gate.URL + "/oauth/tenant/acme", "aud": gate.URL, "sub": nobody, "client_id": nobody, "jti": nobody, "iat": now, "exp": now + 3600,
				}).SignedString(key)
				if err != nil {
					c.Status(http.StatusInternalServerError)
					return
				}
				c.JSON(http.StatusOK, gin.H{"access_token": token, "token_type": "Bearer", "expires_in": 3600})
			})
			beside(b, benchtest.Launch(b, sixteen(gate.Listener.Addr().String(), "/oauth/tenant/acme/token", form)),
				benchtest.Launch(b, sixteen(signs, "/", form)))
		})
	}
}

// apiToken is one of acme's administrator at west.
func apiToken(b *testing.B, p *sitetest.Pair) string {
	b.Helper()
	admin := p.Client.Login(b, "west", "acme")
	id := p.Client.Post(b, "west", "/oauth/tenant/acme/register", sitetest.Bearer(admin), map[string]string{"client_name": "ci"}).
		Want(b, http.StatusCreated).String(b, "client_id")
	return p.Client.Form(b, "west", "acme", "token", "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id", id, "assertion", admin).
		Want(b, http.StatusOK).String(b, "refresh_token")
}

// BenchmarkIntrospection measures answers about a known token beside empty ones.
func BenchmarkIntrospection(b *testing.B) {
	p := sitetest.Start(b, storetest.SQLite, sitetest.Adjust(unbounded), func(o *dev.Options) { o.Site = "west" })
	gate := httptest.NewServer(p.Site("west").Public())
	b.Cleanup(gate.Close)
	admin := p.Client.Login(b, "west", "acme")
	plan := sixteen(gate.Listener.Addr().String(), "/oauth/tenant/acme/introspect", url.Values{"token": {admin}})
	plan.Header = "Authorization: Bearer " + admin + "\r\n"
	empty := plan
	empty.Addr, empty.Path = bareEndpoint(b, func(c *gin.Context) { c.Status(http.StatusOK) }), "/"
	statements := p.Site("west").DB().Statements()
	beside(b, benchtest.Launch(b, plan), benchtest.Launch(b, empty))
	b.ReportMetric(float64(p.Site("west").DB().Statements()-statements), "statements")
}

// BenchmarkDeviceAuthorization measures requests that are granted a code each:
// a row, and the oldest of the account gives way.
func BenchmarkDeviceAuthorization(b *testing.B) {
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		b.Run(string(kind), func(b *testing.B) {
			p := sitetest.Start(b, kind, sitetest.Adjust(unbounded), func(o *dev.Options) { o.Site = "west" })
			gate := httptest.NewServer(p.Site("west").Public())
			b.Cleanup(gate.Close)
			id, _ := p.Client.Account(b, "west", p.Client.Login(b, "west", "acme"), "inventory-bot")
			client := benchtest.Launch(b, sixteen(gate.Listener.Addr().String(), "/oauth/tenant/acme/device_authorization", url.Values{"client_id": {id}}))
			var rate, cpu benchtest.Series
			for b.Loop() {
				before := processorTime()
				r := client.Run(b, time.Second/2)
				cpu.Add(share(processorTime()-before, r.Requests))
				rate.Add(r.Rate())
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(rate.Median(), "requests/s")
			b.ReportMetric(cpu.Median(), "cpu-µs")
		})
	}
}
