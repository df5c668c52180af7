package deploy

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/sitetest"
)

const haproxyFile = "haproxy/haproxy.cfg"

func haproxy(t *testing.T) string { return sitetest.Needs(t, "haproxy", "haproxy") }

// As it is shipped, warnings included.
func TestHAProxy_TheFileIsSound(t *testing.T) {
	if out, err := exec.Command(haproxy(t), "-c", "-dW", "-f", haproxyFile).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestHAProxy_R8_R13_R14_InFrontOfASite runs HAProxy in front of two cells.
func TestHAProxy_R8_R13_R14_InFrontOfASite(t *testing.T) {
	program := haproxy(t)
	base, p := newPorts(t)
	var away atomic.Bool // what the second cell's readiness says
	ready := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" || away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(ready.Close)
	file := derive(t, haproxyFile,
		"\tuser haproxy\n\tgroup haproxy\n", "", "maxconn 20000", "maxconn 200", // people are not root
		"log /dev/log local0", "log stderr format raw local0 notice",
		"bind :443\n", "bind "+loopback(p.public)+"\n", "bind :7443\n", "bind "+loopback(p.peer)+"\n",
		"check port 9443", "check",
		"10.0.0.11:8443", loopback(p.cell1)+" port "+port(p.ops1), "10.0.0.12:8443", loopback(p.cell2)+" addr 127.0.0.1 port "+ready.URL[strings.LastIndexByte(ready.URL, ':')+1:],
		"10.0.0.11:7443", loopback(p.peer1)+" port "+port(p.ops1), "10.0.0.12:7443", loopback(p.peer2)+" port "+port(p.ops2),
	)
	run(t, p.public, program, "-db", "-f", file)
	f := startFront(t, base, p, func(c *config.Config) { c.Public.ProxyProtocol = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	token := f.Client.Login(t, "west", sitetest.System)
	c := f.from(t, "127.0.0.1")

	t.Run("R13 the client's own address arrives", f.wantTrueClient)
	app := f.app(t)
	t.Run("R10 other sites pass through", func(t *testing.T) { f.wantCrossing(t, app) })
	t.Run("R13 a cell that is not ready gets nobody new", func(t *testing.T) {
		reached := func() bool {
			before := f.served(t)[1]
			for range 10 {
				if why := current(c, f.Client.Site("west").API, token); why != "" {
					t.Fatal(why)
				}
			}
			return f.served(t)[1] > before
		}
		sitetest.Eventually(t, 20*time.Second, "the second cell gets requests", reached)
		away.Store(true)
		sitetest.Eventually(t, 20*time.Second, "the second cell gets none", func() bool { return !reached() })
		away.Store(false)
		sitetest.Eventually(t, 20*time.Second, "the second cell gets some again", reached)
	})
	t.Run("R14 no request fails when a cell stops", f.wantNoneFailed)
	t.Run("R10 other sites find the cell that is left", func(t *testing.T) { f.wantCrossing(t, app) })
}
