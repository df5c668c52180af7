package sitetest

import (
	"causeway/internal/porttest"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestDevMoves starts a folder at another place, on other ports.
func TestDevMoves(t *testing.T) {
	old := filepath.Join(t.TempDir(), "old")
	p, file := LaunchDev(t, old, "")
	c := &crossing{stage: &stage{Client: NewClient(t, file)}}
	c.connect(t)
	c.byName(t)
	c.Hangup()
	p.Stop(t)

	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(old, moved); err != nil {
		t.Fatal(err)
	}
	base := porttest.Base(t)
	p = Launch(t, "dev", "--folder", moved, "--listen-base", strconv.Itoa(base), "--json")
	again := p.AwaitDev(t)
	if again.CA != filepath.Join(moved, "ca.pem") || again.Site("west").Ports.Public != base || again.Site("east").Ports.Public != base+10 {
		t.Errorf("after the move dev.json is %+v", again)
	}
	c.Client = NewClient(t, again)
	// The site has another URL, so access tokens of the old one are no good;
	// refresh tokens name no site.
	got := c.Refresh(t, "west", "acme", c.latest).Want(t, http.StatusOK)
	c.access = got.String(t, "access_token")
	c.byName(t)
	c.byID(t)
	c.Hangup()
	p.Stop(t)
}
