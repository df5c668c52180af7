package sitetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"causeway/federation/gossip"
	"causeway/internal/store/storetest"
)

// trio is three cells of one site, whose processes share a database and nothing else.
type trio struct {
	t         *testing.T // of the whole, as the processes are
	cells     []*Cell
	processes []*Process
	keyFile   string
}

// threeCells polls rarely, so that what is noticed at once was not found by polling,
// and lets one cell speak with other sites.
func threeCells(t *testing.T) *trio {
	t.Helper()
	x := &trio{t: t, keyFile: filepath.Join(t.TempDir(), "pool.key")}
	x.write(t, gossip.NewKey())
	database := storetest.EmptyURL(t, storetest.Postgres)
	one := NewCell(t, database, fmt.Sprintf(`journal: {poll: 1s}
cells: {listen: "{pool}", key_file: %[1]s, seeds: ["{first}"]}
gossip: {federation: three, listen: "{sites}", key_file: %[1]s, seeds: ["{firstsites}"], profile: lan}
federation: {speakers: 1}
limits:
  login:
    source: {tokens: 1000, per: 1s}
    network: {tokens: 10000, per: 1s}
    account_at_source: {tokens: 1000, per: 1s}
    account: {tokens: 50000, per: 1s}
    site: {tokens: 200000, per: 1s}
  management:
    account: {tokens: 100000, per: 1s}
    org: {tokens: 200000, per: 1s}
`, x.keyFile))
	one.Init(t)
	x.cells = []*Cell{one, one.Another(t, database), one.Another(t, database)}
	for _, c := range x.cells { // one after the other: who has run longest is known
		p := c.Begin(t)
		c.Ready(t, p)
		x.processes = append(x.processes, p)
	}
	return x
}

func (x *trio) write(t *testing.T, keys ...string) {
	t.Helper()
	if err := os.WriteFile(x.keyFile, []byte(strings.Join(keys, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// begin starts a cell again.
func (x *trio) begin(t *testing.T, i int) {
	t.Helper()
	x.processes[i] = x.cells[i].Begin(x.t)
	x.cells[i].Ready(t, x.processes[i])
}

func (x *trio) stop(t *testing.T) {
	t.Helper()
	for _, p := range x.processes {
		p.Stop(t)
	}
}

// TestThreeCells is what several processes do for one site, each step with those
// that the one before left.
func TestThreeCells(t *testing.T) {
	x := threeCells(t)
	for _, c := range x.cells {
		Eventually(t, 20*time.Second, "the cells meet", func() bool {
			return c.Metric(t, `causeway_gossip_members{pool="cells"}`) == "2" && c.Metric(t, "causeway_journal_listening") == "1" && c.Metric(t, "causeway_cells_live") == "3"
		})
	}
	t.Run("R4 a session that ends at one cell ends at the others at once", x.revocations)
	t.Run("R11 keys change while cells serve", x.keysChange)
	t.Run("R10 another cell speaks when the one that did is killed", x.speakerDies)
	t.Run("R10 a rolling restart fails no request", x.rollingRestart)
	x.stop(t)
}

func (x *trio) revocations(t *testing.T) {
	n := 15
	if soaking {
		n = 500
	}
	here, there := x.cells[0].Client(t), x.cells[2].Client(t)
	defer here.Hangup()
	defer there.Hangup()
	var took []time.Duration
	for range n {
		token := here.Login(t, SiteName, System)
		current := func() int { return there.Get(t, SiteName, "/cloudapi/1.0.0/sessions/current", Bearer(token)).Status }
		if status := current(); status != http.StatusOK {
			t.Fatalf("a new session at another cell: %d", status)
		}
		here.Do(t, http.MethodDelete, here.Site(SiteName).API+"/cloudapi/1.0.0/sessions/current", Bearer(token), nil).Want(t, http.StatusNoContent)
		ended := time.Now()
		for current() != http.StatusUnauthorized {
			if time.Since(ended) > 5*time.Second {
				t.Fatal("the session goes on")
			}
		}
		took = append(took, time.Since(ended))
	}
	slices.Sort(took)
	p50, p99 := took[n/2], took[(n*99)/100]
	t.Logf("a session that ended at one cell was refused at another after %s (p50), %s (p99 of %d)", p50.Round(10*time.Microsecond), p99.Round(10*time.Microsecond), n)
	if p50 > 50*time.Millisecond {
		t.Errorf("half of them took more than %s; polling alone takes half a second", p50)
	}
	for _, series := range []string{"causeway_journal_hinted_polls_total", `causeway_gossip_hints_total{pool="cells"}`} {
		if got := x.cells[2].Metric(t, series); got == "" || got == "0" {
			t.Errorf("%s is %q", series, got)
		}
	}
}

func (x *trio) keysChange(t *testing.T) {
	old, err := os.ReadFile(x.keyFile)
	if err != nil {
		t.Fatal(err)
	}
	before, after := string(old), gossip.NewKey()
	info := func(key, primary string) string {
		keys, err := gossip.ParseKeys([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`causeway_gossip_key_info{fingerprint="%s",pool="cells",primary="%s"}`, gossip.Fingerprint(keys[0]), primary)
	}
	for _, step := range []struct {
		file []string
		want map[string]string
	}{
		{[]string{before, after}, map[string]string{info(before, "true"): "1", info(after, "false"): "1"}},
		{[]string{after, before}, map[string]string{info(after, "true"): "1", info(before, "false"): "1"}},
		{[]string{after}, map[string]string{info(after, "true"): "1", info(before, "false"): ""}},
	} {
		x.write(t, step.file...)
		for i, c := range x.cells {
			x.processes[i].Signal(t, syscall.SIGHUP)
			Eventually(t, 10*time.Second, "the keys are taken over", func() bool {
				for series, want := range step.want {
					if c.Metric(t, series) != want {
						return false
					}
				}
				return true
			})
		}
	}
	x.write(t, after, "no key")
	x.processes[0].Signal(t, syscall.SIGHUP)
	x.processes[0].AwaitErr(t, 10*time.Second, func(text string) bool { return strings.Contains(text, "nothing has changed") })
	x.write(t, after)
	for i, c := range x.cells {
		if got := c.Metric(t, `causeway_gossip_members{pool="cells"}`); got != "2" {
			t.Errorf("cell %d knows %s others afterwards", i, got)
		}
		if said := x.processes[i].Err(); strings.Contains(said, before) || strings.Contains(said, after) {
			t.Errorf("cell %d tells a key", i)
		}
	}
}

func (x *trio) speakers(t *testing.T) (speaking []string) {
	for _, c := range x.cells {
		speaking = append(speaking, c.Metric(t, `causeway_gossip_speaking{pool="sites"}`))
	}
	return speaking
}

func (x *trio) speakerDies(t *testing.T) {
	if got := x.speakers(t); !slices.Equal(got, []string{"1", "0", "0"}) {
		t.Fatalf("speaking: %v", got)
	}
	x.processes[0].Kill()
	died := time.Now()
	rest := &trio{cells: x.cells[1:]}
	Eventually(t, 30*time.Second, "the next cell speaks", func() bool { return slices.Equal(rest.speakers(t), []string{"1", "0"}) })
	t.Logf("another cell spoke %s after the speaker was killed", time.Since(died).Round(100*time.Millisecond))
	x.begin(t, 0)
	if got := x.speakers(t); !slices.Equal(got, []string{"0", "1", "0"}) {
		t.Errorf("speaking after it has come back: %v", got)
	}
}

// balancer connects to the cells in turn, to the next one if a cell refuses. What
// breaks before a byte of the answer it asks once more, as balancers do.
type balancer struct {
	cells []*Cell
	next  atomic.Int64
	again atomic.Int64
}

func (b *balancer) get(c *Client, token string) (Answer, error) {
	ask := func() (Answer, error) {
		return c.Try(http.MethodGet, c.Site(SiteName).API+"/cloudapi/1.0.0/sessions/current", Bearer(token), nil)
	}
	a, err := ask()
	if err != nil {
		b.again.Add(1)
		return ask()
	}
	return a, nil
}

func (b *balancer) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var errs []error
	for range b.cells {
		c := b.cells[int(b.next.Add(1))%len(b.cells)]
		conn, err := new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", c.base))
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (x *trio) rollingRestart(t *testing.T) {
	b := &balancer{cells: x.cells}
	var clients []*Client
	for range 4 {
		c := NewClient(t, x.cells[0].File)
		c.http.Transport.(*http.Transport).DialContext = b.dial
		clients = append(clients, c)
	}
	token := clients[0].Login(t, SiteName, System)
	var asked atomic.Int64
	var wait sync.WaitGroup
	done := make(chan struct{})
	for i, c := range clients {
		wait.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				a, err := b.get(c, token)
				if err != nil || a.Status != http.StatusOK {
					t.Errorf("client %d, request %d: status %d, %v\n%s", i, n, a.Status, err, a.Body)
					return
				}
				asked.Add(1)
				if n%20 == 19 {
					c.Hangup() // so that connections are made all the time
				}
			}
		})
	}
	for i := range x.cells {
		x.processes[i].Stop(t)
		x.begin(t, i)
	}
	close(done)
	wait.Wait()
	for _, c := range clients {
		c.Hangup()
	}
	t.Logf("%d requests while three cells were restarted, %d of them asked twice", asked.Load(), b.again.Load())
	if asked.Load() < 100 {
		t.Error("too few to prove anything")
	}
	Eventually(t, 20*time.Second, "one cell speaks again", func() bool { return strings.Join(x.speakers(t), "") == "100" })
}
