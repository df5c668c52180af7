package docs

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/localca"
	"causeway/internal/pgcluster"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

var (
	sites = []string{"west", "east", "north"} // the page's network of the i-th is 10.i.0, counted from 1
	cells = []string{"west-1", "west-2", "east-1", "north-1"}
)

// federation is what three-sites.md builds.
type federation struct {
	*hosts
	*sitetest.Client
	t                *testing.T // for what outlives a step
	subnet           string     // each host has an address on loopback, and so all have the page's ports
	primary, standby *pgcluster.Cluster
	running          map[string]*sitetest.Process // by host of a cell
	program          string                       // HAProxy
	balancer         *exec.Cmd
}

// TestThreeSites_R13_R14 builds a federation by the page's own words, has an app work
// in it, and does to it what happens in years.
func TestThreeSites_R13_R14(t *testing.T) {
	f := newFederation(t)
	defer f.end(t)
	step := func(name string, do func(t *testing.T)) {
		t.Helper()
		if !t.Run(name, do) {
			t.FailNow()
		}
	}
	step("the page's steps build it", func(t *testing.T) { f.walk(t, "three-sites.md") })
	w := f.work(t)
	defer w.stop()
	step("R14 every cell is restarted and no request fails", func(t *testing.T) { f.restartAll(t, w) })
	step("R13 every cell is killed", func(t *testing.T) { f.killAll(t, w) })
	step("R13 PostgreSQL is stopped and started", func(t *testing.T) { f.stopDatabase(t, w) })
	step("R13 PostgreSQL is killed and started", func(t *testing.T) { f.killDatabase(t, w) })
	step("R13 PostgreSQL fails over to its standby", func(t *testing.T) { f.failOver(t, w) })
	step("R13 nothing that was acknowledged is lost", func(t *testing.T) { w.wantKept(t) })
}

// newFederation makes the hosts with what the page takes for given.
func newFederation(t *testing.T) *federation {
	t.Helper()
	bin, ok := pgcluster.Find("")
	if !ok {
		t.Skip("PostgreSQL not found")
	}
	program := sitetest.Needs(t, "haproxy", "haproxy")
	f := &federation{t: t, program: program, hosts: newHosts(t, append([]string{"admin", "west-lb"}, cells...)...), running: map[string]*sitetest.Process{}}
	f.subnet = fmt.Sprintf("127.%d.", 1+rand.IntN(250))
	f.enabled = f.begin
	f.replace = strings.NewReplacer(f.addresses()...)
	f.databases(t, bin)
	f.certificates(t)
	shipped, err := os.ReadFile("../deploy/haproxy/haproxy.cfg")
	if err != nil {
		t.Fatal(err)
	}
	bind := regexp.MustCompile(`bind :(?:443|(7443))\b`).ReplaceAllStringFunc(string(shipped), func(s string) string {
		if strings.HasSuffix(s, "7443") {
			return "bind " + f.address("west") + ":7443"
		}
		return "bind " + f.address("west") + ":8443"
	})
	// A test machine may have fewer file descriptors, and the way to a cell begins at
	// any address of loopback.
	f.put(t, "west-lb", "home/haproxy.cfg", strings.NewReplacer("maxconn 20000", "maxconn 2000", "defaults\n", "defaults\n\tsource "+f.address("west")+"\n").Replace(bind))
	return f
}

// address is where clients reach a site: its balancer, or its cell.
func (f *federation) address(site string) string {
	switch site {
	case "west":
		return f.subnet + "1.1"
	case "east":
		return f.subnet + "2.11"
	}
	return f.subnet + "3.11"
}

func (f *federation) url(site string) string { return "https://" + f.address(site) + ":8443" }

// addresses are pairs: the page's, and ours.
func (f *federation) addresses() []string {
	pairs := []string{"https://$site.example.com", "$(cat $site.url)", "10.0.0.0/8", "127.0.0.0/8", "10.2.0.11:443", f.address("east") + ":8443"}
	for i, site := range sites {
		pairs = append(pairs, "https://"+site+".example.com", f.url(site), site+".example.com", f.address(site), fmt.Sprintf("10.%d.0.", i+1), fmt.Sprintf("%s%d.", f.subnet, i+1))
	}
	return pairs
}

// databases gives west a primary with a standby, and the others one each.
func (f *federation) databases(t *testing.T, bin string) {
	t.Helper()
	var err error
	if f.primary, err = pgcluster.Start(t.Context(), bin, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.primary.Stop() }) // what is left is a temporary folder
	if f.standby, err = f.primary.Standby(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.standby.Stop() })
	west := f.primary.URLOf("postgres", f.standby)
	for host, url := range map[string]string{
		"west-1": west, "west-2": west, "east-1": storetest.URL(t, storetest.Postgres), "north-1": storetest.URL(t, storetest.Postgres),
	} {
		f.put(t, host, "etc/causeway/database.url", url)
	}
}

func (f *federation) certificates(t *testing.T) {
	t.Helper()
	ca, err := localca.Load(f.root, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range append([]string{"admin"}, cells...) {
		f.put(t, host, "etc/causeway/ca.pem", ca.PEM)
		site, _, _ := strings.Cut(host, "-")
		if err := ca.Issue(f.path(host, "etc/causeway/tls.crt"), f.path(host, "etc/causeway/tls.key"), []string{f.address(site)}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	for _, site := range sites {
		f.put(t, "admin", "home/"+site+".url", f.url(site))
	}
}

// begin is what a host's supervisor does.
func (f *federation) begin(t *testing.T, host, unit string) {
	t.Helper()
	if unit == "haproxy" {
		f.balance()
		return
	}
	f.launch(host)
}

func (f *federation) launch(host string) {
	f.running[host] = sitetest.LaunchIn(f.t, []string{"env", "CAUSEWAY_DATABASE_URL_FILE=" + f.path(host, "etc/causeway/database.url")},
		"serve", "-c", f.path(host, "etc/causeway/causeway.yaml"))
}

func (f *federation) balance() {
	f.t.Helper()
	f.balancer = exec.Command(f.program, "-db", "-f", f.path("west-lb", "etc/haproxy/haproxy.cfg"))
	f.balancer.Stderr = f.t.Output()
	if err := f.balancer.Start(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *federation) unbalance() {
	_ = f.balancer.Process.Kill()
	_ = f.balancer.Wait() // it was killed
}

// end stops what runs, in order.
func (f *federation) end(t *testing.T) {
	for _, p := range f.running {
		if t.Failed() {
			p.Kill()
		} else {
			p.Stop(t)
		}
	}
	if f.balancer != nil {
		f.unbalance()
	}
}

// operations is the address of a cell's operations listener.
func (f *federation) operations(host string) string {
	site, number, _ := strings.Cut(host, "-")
	return fmt.Sprintf("http://%s%d.1%s:9443", f.subnet, 1+slices.Index(sites, site), number)
}

// ready is what a cell says of itself.
func (f *federation) ready(host string) bool {
	res, err := http.Get(f.operations(host) + "/readyz")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}
