package portal_test

import (
	"os"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

func TestLogin(t *testing.T) {
	p := sitetest.Start(t, storetest.SQLite)
	west := p.File.Sites["west"]
	tab := browsertest.Open(t, browsertest.Look{})
	tab.Go(west.URL + "/tenant/acme")
	tab.Screenshot("/tmp/p/login.png")
	_ = west
}
