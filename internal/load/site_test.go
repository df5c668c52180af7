package load_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/load"
	"causeway/internal/site"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

const password = "correct horse battery"

// generous lets one caller ask as often as a benchmark does.
func generous(l *config.Limits) {
	calls := func(n int) config.Budget { return config.Budget{Tokens: n, Per: time.Second} }
	l.Login = config.LoginLimits{
		AccountAtSource: calls(10_000), Source: calls(10_000), Network: calls(100_000), Account: calls(1_000_000), Site: calls(1_000_000),
	}
	l.Management = config.ManagementLimits{Account: calls(10_000), Org: calls(100_000)}
}

// trial is a site that a load has filled. What serves has no listener between.
type trial struct {
	*site.Site
	handler http.Handler
}

// configure prepares a site with so many organizations that does not run yet.
func configure(t testing.TB, organizations int) *config.Config {
	t.Helper()
	cell := sitetest.NewCell(t, storetest.URL(t, storetest.Postgres), "")
	c, err := config.Load(config.Source{Path: cell.Config})
	ok(t, err)
	generous(&c.Limits)
	s, err := site.New(t.Context(), c, site.Options{})
	ok(t, err)
	_, err = s.Provisioner().CreateUser(t.Context(), tenants.Caller{}, tenants.SystemOrgID, load.AdministratorName, tenants.SystemAdministrator, password)
	ok(t, err)
	begun := time.Now()
	ok(t, load.Run(t.Context(), s.DB(), load.Options{Organizations: organizations, Users: 10, Accounts: 100, Password: password}, nil))
	t.Logf("%d organizations with %d users and %d accounts were made in %s",
		organizations, organizations*10, organizations*100, time.Since(begun).Round(time.Millisecond))
	ok(t, s.Close())
	return c
}

// start runs a configured site until the test ends.
func start(t testing.TB, c *config.Config) *trial {
	t.Helper()
	s, err := site.New(t.Context(), c, site.Options{})
	ok(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		ok(t, s.Stop(ctx))
	})
	ok(t, s.Start(t.Context()))
	return &trial{Site: s, handler: s.Public()}
}

// ask sends a request and wants 200.
func (s *trial) ask(t testing.TB, method, path string, prepare func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept", "application/json;version=38.1")
	prepare(r)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s %s: status %d\n%s", method, path, w.Code, w.Body)
	}
	return w
}

// login is the access token of an organization's administrator.
func (s *trial) login(t testing.TB, org string) string {
	path := "/cloudapi/1.0.0/sessions"
	if org == tenants.SystemOrgName {
		path += "/provider"
	}
	w := s.ask(t, http.MethodPost, path, func(r *http.Request) {
		r.SetBasicAuth(load.AdministratorName+"@"+org, password)
	})
	return w.Header().Get("X-VMWARE-VCLOUD-ACCESS-TOKEN")
}

func (s *trial) get(t testing.TB, path, token string) *httptest.ResponseRecorder {
	return s.ask(t, http.MethodGet, path, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
}
