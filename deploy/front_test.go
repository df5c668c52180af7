package deploy

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"causeway/internal/config"
	"causeway/internal/dev"
	"causeway/internal/porttest"
	"causeway/internal/site"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// front is west as operators run it: two cells on one PostgreSQL, and a balancer at
// the addresses that clients and east know.
type front struct {
	*sitetest.Pair
	second *site.Site
	cells  [2]config.Config
}

// ports of a balancer and of what it has behind it, all on loopback.
type ports struct{ public, peer, cell1, peer1, ops1, cell2, peer2, ops2 int }

// west's public and peer port are the balancer's.
func newPorts(t *testing.T) (base int, p ports) {
	base, own := porttest.Base(t), porttest.Base(t)
	return base, ports{base, base + 1, own, own + 1, own + 2, own + 3, own + 4, own + 5}
}

func startFront(t *testing.T, base int, p ports, adjust func(*config.Config)) *front {
	t.Helper()
	f := &front{}
	f.Pair = sitetest.Start(t, storetest.Postgres, func(o *dev.Options) {
		o.Base = &base
		o.Adjust = func(c *config.Config) {
			c.Gossip = nil // which could lead past the balancer
			c.Federation.Heartbeat = time.Second
			if c.Site.Name != "west" {
				return
			}
			c.Public.Listen, c.Peer.Listen, c.Operations.Listen = loopback(p.cell1), loopback(p.peer1), loopback(p.ops1)
			c.Peer.Advertise = loopback(p.peer)
			adjust(c)
			f.cells[0] = *c
		}
	})
	c := f.cells[0]
	c.Public.Listen, c.Peer.Listen, c.Operations.Listen = loopback(p.cell2), loopback(p.peer2), loopback(p.ops2)
	f.cells[1] = c
	var err error
	if f.second, err = site.New(t.Context(), &c, site.Options{Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.stopSecond(t) })
	if err := f.second.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *front) stopSecond(t *testing.T) {
	t.Helper()
	if f.second == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := f.second.Stop(ctx); err != nil {
		t.Errorf("stopping the second cell: %v", err)
	}
	f.second = nil
}

// served is how many requests each cell has answered at its public listener.
func (f *front) served(t *testing.T) (n [2]float64) {
	t.Helper()
	for i := range f.cells {
		if i == 1 && f.second == nil {
			continue
		}
		n[i] = sitetest.Requests(t, "http://"+f.cells[i].Operations.Listen)
	}
	return n
}

// from is a client that connects from an address of its own on loopback, and
// anew for each request.
func (f *front) from(t *testing.T, addr string) *http.Client {
	c := sitetest.Trusting(t, f.File.CA)
	tr := c.Transport.(*http.Transport)
	tr.DialContext = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}).DialContext
	tr.DisableKeepAlives = true
	return c
}

// wantTrueClient asks for something that is refused, from an address that only the
// balancer sees, and looks whom the site refused.
func (f *front) wantTrueClient(t *testing.T) {
	t.Helper()
	const client = "127.0.0.77"
	r, err := http.NewRequest(http.MethodGet, f.Client.Site("west").API+"/cloudapi/1.0.0/orgs", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+f.Client.Login(t, "west", "acme"))
	r.Header.Set("X-VMWARE-VCLOUD-AUTH-CONTEXT", "nobody")
	r.Header.Set("X-Forwarded-For", "192.0.2.66") // what a client says of itself
	res, err := f.from(t, client).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Fatalf("status %d, want 403\n%s", res.StatusCode, body)
	}
	id := res.Header.Get("X-VMWARE-VCLOUD-REQUEST-ID")
	found := f.Client.Get(t, "west", "/cloudapi/causeway/1.0.0/refusals/"+id, sitetest.Bearer(f.Client.Login(t, "west", sitetest.System))).Want(t, http.StatusOK)
	if got := found.String(t, "address"); got != client {
		t.Errorf("the site takes the client for %q; it is at %s\n%s", got, client, found.Body)
	}
}

// app connects the sample account at east, which exists in west's acme as well.
func (f *front) app(t *testing.T) (access string) {
	t.Helper()
	admin := f.Client.Login(t, "east", "acme")
	id, _ := f.Client.Account(t, "east", admin, f.File.Account.Name)
	access, _ = f.Client.ConnectAs(t, "east", "acme", admin, id)
	return access
}

// wantCrossing has east's app use the service behind west, to which only the
// balancer leads.
func (f *front) wantCrossing(t *testing.T, access string) {
	t.Helper()
	id := f.Client.Site("west").Org("acme").ID
	header := sitetest.Bearer(access, "X-VMWARE-VCLOUD-TENANT-CONTEXT", id[strings.LastIndexByte(id, ':')+1:])
	var last sitetest.Answer
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		last = f.Client.Get(t, "east", "/sample/inventory", header)
		if last.Status == http.StatusOK && last.String(t, "site") == "west" {
			return
		}
	}
	t.Fatalf("nothing crosses to west: %d\n%s", last.Status, last.Body)
}

// balancer is a running HAProxy or nginx.
type balancer struct {
	cmd *exec.Cmd
	out strings.Builder
}

// run starts a balancer and waits until it listens at an address.
func run(t *testing.T, listens int, program string, args ...string) *balancer {
	t.Helper()
	b := &balancer{cmd: exec.Command(program, args...)}
	b.cmd.Stdout, b.cmd.Stderr = &b.out, &b.out
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = b.cmd.Wait() // what it said tells more
	}()
	t.Cleanup(func() {
		_ = b.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = b.cmd.Process.Kill()
			<-ended
			t.Errorf("%s does not end", program)
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", program, &b.out)
		}
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", loopback(listens)); err == nil {
			conn.Close()
			return b
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended", program)
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not listen", program)
		}
	}
}

// derive writes a shipped file with other addresses. Each must occur: a test of a
// file that nobody ships proves nothing.
func derive(t *testing.T, shipped string, pairs ...string) (file string) {
	t.Helper()
	data, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i+1 < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s does not contain %q", shipped, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	file = filepath.Join(t.TempDir(), filepath.Base(shipped))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func port(n int) string { return strconv.Itoa(n) }

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
