package portal_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/sitetest"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// light is what a page may weigh with all that it loads, in bytes as they are sent.
const light = 50 << 10

var loaded = regexp.MustCompile(`<(?:link|script|img)[^>]*(?:href|src)="([^"]+)"`)

// TestFirstPageIsLight weighs what a browser loads that was never here.
func TestFirstPageIsLight(t *testing.T) {
	w := start(t)
	for name, p := range map[string]portalOf{"provider": w.Provider, "tenant": w.Acme} {
		session := w.session(t, p)
		for _, at := range []string{p.URL + "/login", p.URL} {
			page := w.send(t, http.MethodGet, at, session, nil, "Accept-Encoding", "gzip").Want(t, http.StatusOK)
			sum := weight(page)
			plain := w.send(t, http.MethodGet, at, session, nil).Want(t, http.StatusOK)
			for _, m := range loaded.FindAllStringSubmatch(string(plain.Body), -1) {
				part := w.send(t, http.MethodGet, w.West.API+m[1], session, nil, "Accept-Encoding", "gzip").Want(t, http.StatusOK)
				if part.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
					t.Errorf("%s is kept as %q", m[1], part.Header.Get("Cache-Control"))
				}
				sum += weight(part)
			}
			t.Logf("%s weighs %d bytes", at, sum)
			if sum > light {
				t.Errorf("%s of the %s weighs %d bytes, more than %d", at, name, sum, light)
			}
		}
	}
}

func weight(a sitetest.Answer) int {
	n := len(a.Body)
	for name, values := range a.Header {
		n += len(name) + len(values[0]) + 4
	}
	return n
}

// BenchmarkPortal measures the server's time for warm pages: ns/op is what a browser
// waits for beside the network.
func BenchmarkPortal(b *testing.B) {
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		b.Run(string(kind), func(b *testing.B) {
			var databases map[string]string
			w := worldOf(sitetest.Start(b, kind, unhurried, func(o *dev.Options) { databases = o.Databases }))
			for _, at := range []string{"/login", "", "/administration/access-control/service-accounts/new"} {
				name := at
				if name == "" {
					name = "/"
				}
				b.Run("page"+name, func(b *testing.B) { w.ask(b, w.Acme.URL+at, w.session(b, w.Acme)) })
			}
			for _, rows := range []int{10, 100_000} {
				w.fill(b, rows)
				analyze(b, databases["west"])
				session := w.session(b, w.Acme)
				for _, list := range []struct{ name, query string }{
					{"first", ""}, {"last", fmt.Sprintf("?page=%d", max(min(rows, 1000)/25, 1))}, {"newest", "?sort=-name"},
					{"status", "?status=ACTIVE"}, {"search", "?q=machine-000000"}, {"nothing", "?q=no-such-thing"},
				} {
					b.Run(fmt.Sprintf("accounts=%d/%s", rows, list.name), func(b *testing.B) {
						w.ask(b, w.Acme.URL+oauth.AccountsPage+list.query, session)
					})
				}
			}
		})
	}
}

// analyze does what PostgreSQL does by itself within a minute of such a change. url is
// empty for SQLite.
func analyze(b *testing.B, url string) {
	b.Helper()
	if url == "" {
		return
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(b.Context(), "VACUUM ANALYZE"); err != nil {
		b.Fatal(err)
	}
}

// unhurried lets one person call as often as a benchmark does.
var unhurried = sitetest.Adjust(func(c *config.Config) {
	c.Limits.Management.Account = config.Budget{Tokens: 500_000, Per: time.Second}
	c.Limits.Management.Org = config.Budget{Tokens: 1_000_000, Per: time.Second}
})

// ask asks the site's handler for a page, over and over.
func (w *world) ask(b *testing.B, address, session string) {
	b.Helper()
	handler := w.Site("west").Public()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, address, nil)
		r.Header.Set("Cookie", cookieName+"="+session)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		if answer.Code != http.StatusOK {
			b.Fatalf("%s answers %d\n%s", address, answer.Code, answer.Body)
		}
	}
}

// fill gives acme so many service accounts, of which six of ten are active.
func (w *world) fill(b *testing.B, rows int) {
	b.Helper()
	id, err := tenants.ParseID[tenants.OrgID]("org", w.West.Org("acme").ID)
	if err != nil {
		b.Fatal(err)
	}
	bot, account := w.Client.Account(b, "west", w.Client.Login(b, "west", "acme"), "inventory-bot")
	role, err := tenants.ParseID[tenants.RoleID]("role", account["role"].(map[string]any)["id"].(string))
	if err != nil {
		b.Fatal(bot, err)
	}
	const batch = 5000
	now := time.Now()
	for first := 0; first < rows; first += batch {
		var bulk store.Bulk
		for i := first; i < min(first+batch, rows); i++ {
			a := oauth.ServiceAccount{
				ID: oauth.ClientID(tenants.NewID()), Org: id, Name: fmt.Sprintf("machine-%d-%08d", rows, i), SoftwareID: tenants.NewID(), Role: role, CreatedAt: now,
			}
			bulk.Accounts = append(bulk.Accounts, a)
			if i%10 < 6 {
				bulk.Families = append(bulk.Families, oauth.Family{ID: tenants.NewID(), Org: id, Account: a.ID, Current: []byte(a.ID)[:32], CreatedAt: now})
			}
		}
		if err := w.Site("west").DB().Load(context.Background(), bulk); err != nil {
			b.Fatal(err)
		}
	}
}
