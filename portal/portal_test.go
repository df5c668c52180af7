package portal_test

import (
	"os"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/dev"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// world is a pair of sites, of which tests look at west.
type world struct {
	*sitetest.Pair
	West           *dev.SiteFile
	Provider, Acme portalOf
}

// portalOf is a portal at west and who administers there.
type portalOf struct {
	URL   string // ends without a slash
	Admin dev.Login
}

// start starts the sites of `causeway dev`.
func start(t testing.TB, options ...sitetest.Option) *world {
	t.Helper()
	return worldOf(sitetest.Start(t, storetest.SQLite, options...))
}

// worldOf is for tests that run on each database.
func worldOf(p *sitetest.Pair) *world {
	west := p.File.Site("west")
	return &world{
		Pair: p, West: west,
		Provider: portalOf{west.API + "/provider", west.Admin},
		Acme:     portalOf{west.API + "/tenant/acme", west.Org("acme").Admin},
	}
}

// enter opens a tab in which the portal's administrator is logged in.
func (p portalOf) enter(t testing.TB, look browsertest.Look) *browsertest.Tab {
	t.Helper()
	tab := browsertest.Open(t, look)
	tab.LogIn(p.URL, p.Admin.User, p.Admin.Password)
	return tab
}

// TestWayIn logs in at both portals and out again.
func TestWayIn(t *testing.T) {
	w := start(t)
	for name, p := range map[string]portalOf{"provider": w.Provider, "tenant": w.Acme} {
		t.Run(name, func(t *testing.T) {
			for _, look := range []browsertest.Look{{}, {NoScript: true}, {Width: 360, Dark: true}} {
				tab := p.enter(t, look)
				if tab.URL() != p.URL || tab.Text("h1") != "Welcome, "+p.Admin.User {
					t.Errorf("the login leads to %s, %q", tab.URL(), tab.Text("h1"))
				}
				tab.LogOut()
				tab.Sees("You are logged out.")
				tab.Go(p.URL)
				if tab.Text("h1") != "Log in" {
					t.Errorf("after the end of the session %s shows %q", p.URL, tab.Text("h1"))
				}
			}
		})
	}
}

// TestNowhere mistypes an address, logged in and not.
func TestNowhere(t *testing.T) {
	w := start(t)
	for _, p := range []portalOf{w.Provider, w.Acme} {
		tab := browsertest.Open(t, browsertest.Look{})
		for range 2 {
			tab.Go(p.URL + "/nowhere/at/all")
			if tab.Status() != 404 || tab.Text("h1") != "There is nothing here" {
				t.Errorf("%s: %d %q", tab.URL(), tab.Status(), tab.Text("h1"))
			}
			tab.Follow("Go to the start page")
			tab.LogIn(p.URL, p.Admin.User, p.Admin.Password)
		}
	}
}
