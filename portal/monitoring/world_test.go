package monitoring_test

import (
	"os"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/dev"
	"causeway/internal/sitetest"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// world is a pair of sites, of which tests look at east: it has two tenants.
type world struct {
	*sitetest.Pair
	Provider, Acme, Labs portalOf
}

// portalOf is a portal at east and who administers there.
type portalOf struct {
	URL   string // ends without a slash
	Admin dev.Login
}

func worldOf(p *sitetest.Pair) *world {
	east := p.File.Site("east")
	tenant := func(name string) portalOf { return portalOf{east.API + "/tenant/" + name, east.Org(name).Admin} }
	return &world{Pair: p, Provider: portalOf{east.API + "/provider", east.Admin}, Acme: tenant("acme"), Labs: tenant("acme-labs")}
}

// enter opens a tab in which the portal's administrator is logged in.
func (p portalOf) enter(t testing.TB, look browsertest.Look) *browsertest.Tab {
	t.Helper()
	tab := browsertest.Open(t, look)
	tab.LogIn(p.URL, p.Admin.User, p.Admin.Password)
	return tab
}
