package sitetest

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"causeway/internal/dev"
	"causeway/internal/store/storetest"
)

// remote is a site of its own: a process, a database and a network, associated
// with another by the API alone.
type remote struct {
	name   string
	place  place
	config string
	*Client
	process *Process
	admin   string // access token of its provider
}

func newRemote(t *testing.T, name string, where place) *remote {
	t.Helper()
	folder := t.TempDir()
	r := &remote{name: name, place: where, config: filepath.Join(folder, "causeway.yaml")}
	text := fmt.Sprintf(`site:
  name: %s
public:
  listen: %s:%d
  url: %s
peer:
  listen: %s:%d
  advertise: %s
operations:
  listen: %s:%d
database:
  url: %q
keys:
  master_file: %s
federation:
  allowed_networks: [127.0.0.0/8, 10.0.0.0/8]
%s`, name, where.host, where.public, where.url, where.host, where.peer, where.advertise, where.host, where.operations,
		where.database(t, storetest.EmptyURL(t, storetest.Postgres)), filepath.Join(folder, "master.key"), where.more)
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// Clients come by a way that is never cut.
	api := fmt.Sprintf("https://%s:%d", where.host, where.public)
	p := r.run(t, "init", "--config", r.config)
	if code := p.Exit(t, time.Minute); code != 0 {
		t.Fatalf("init: exit code %d\n%s", code, p.Err())
	}
	login := initialPassword.FindStringSubmatch(p.Out())
	file := &dev.File{CA: filepath.Join(folder, "ca.pem"), Sites: []dev.SiteFile{{Name: name, API: api, Admin: dev.Login{User: login[1], Password: login[2]}}}}
	r.start(t)
	r.Client = NewClient(t, file)
	r.http.Transport.(*http.Transport).DialContext = where.dial
	r.admin = r.Login(t, name, System)
	return r
}

func (r *remote) run(t *testing.T, args ...string) *Process {
	t.Helper()
	return LaunchIn(t, r.place.within, args...)
}

func (r *remote) start(t *testing.T) {
	t.Helper()
	r.process = r.run(t, "serve", "--config", r.config)
	r.process.AwaitErr(t, 2*time.Minute, func(text string) bool { return strings.Contains(text, "msg=serving") })
}

// xml calls the old API.
func (r *remote) xml(t *testing.T, method, path, contentType string, body []byte) Answer {
	t.Helper()
	h := Bearer(r.admin, "Accept", "application/*+xml;version=37.0")
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	return r.Do(t, method, r.Site(r.name).API+path, h, bytes.NewReader(body))
}

const (
	siteData = "application/vnd.vmware.admin.siteAssociation+xml"
	orgData  = "application/vnd.vmware.admin.organizationAssociation+xml"
	orgOf    = "/api/admin/org/a93c9db9-7471-3192-8d09-a8f7eeda85f9/associations"
)

// associate carries what two sites say of themselves to each other, for the sites
// and for their providers' organizations.
func associate(t *testing.T, one, two *remote) {
	t.Helper()
	for _, what := range []struct{ path, kind string }{{"/api/site/associations", siteData}, {orgOf, orgData}} {
		for _, way := range [][2]*remote{{one, two}, {two, one}} {
			data := way[0].xml(t, http.MethodGet, what.path+"/localAssociationData", "", nil).Want(t, http.StatusOK)
			way[1].xml(t, http.MethodPost, what.path, what.kind, data.Body).Want(t, http.StatusAccepted)
		}
	}
}

var statusElement = regexp.MustCompile(`<(?:\w+:)?Status>(\w+)<`)

// statuses are what a site says of its associations, the site's and the
// organization's.
func (r *remote) statuses(t *testing.T) string {
	t.Helper()
	var found []string
	for _, path := range []string{"/api/site/associations", orgOf} {
		a := r.xml(t, http.MethodGet, path, "", nil).Want(t, http.StatusOK)
		for _, m := range statusElement.FindAllSubmatch(a.Body, -1) {
			found = append(found, string(m[1]))
		}
	}
	return strings.Join(found, " ")
}

const bothActive = "ACTIVE ACTIVE"

// TestTwoSitesApart takes two sites, in networks of their own, through what happens
// to links: association, a cut, a crash, an end. It prints how long each took.
func TestTwoSitesApart(t *testing.T) {
	net := newApart(t)
	west, east := newRemote(t, "west", net.site(0)), newRemote(t, "east", net.site(1))
	sites := []*remote{west, east}
	defer func() {
		for _, r := range sites {
			r.Hangup()
			r.process.Stop(t)
		}
	}()
	within := func(t *testing.T, limit time.Duration, what string, ask func() bool) {
		t.Helper()
		begin := time.Now()
		Eventually(t, limit, what, ask)
		t.Logf("%-60s %8s (at most %s)", what, time.Since(begin).Round(10*time.Millisecond), limit)
	}
	settled := func(t *testing.T, r *remote, want string) func() bool {
		last := ""
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("%s: %s, wanted %s", r.name, last, want)
			}
		})
		return func() bool {
			last = r.statuses(t)
			return last == want
		}
	}

	associate(t, west, east)
	t.Run("R10 VCD-37 associated sites find each other", func(t *testing.T) {
		within(t, 5*time.Second, "both associations are ACTIVE at west", settled(t, west, bothActive))
		within(t, 5*time.Second, "both associations are ACTIVE at east", settled(t, east, bothActive))
	})

	// The same application at both sites crosses by name and software ID.
	var access string
	for i, r := range sites {
		client := r.Register(t, r.name, System, r.admin, "app", sampleSoftware, "System Administrator")
		if i == 0 {
			access, _ = r.ConnectAs(t, r.name, System, r.admin, client)
		}
	}
	there := east.Get(t, "east", "/cloudapi/1.0.0/sessions/current", Bearer(east.admin)).String(t, "location")
	across := func() (int, time.Duration) {
		begin := time.Now()
		got, err := west.Try(http.MethodGet, west.Site("west").API+"/cloudapi/1.0.0/sessions/current", Bearer(access, authContext, there), nil)
		if err != nil {
			t.Error(err)
		}
		return got.Status, time.Since(begin)
	}
	answers := func(status int, fast time.Duration) func() bool {
		return func() bool {
			got, took := across()
			return got == status && took < fast
		}
	}
	local := func() time.Duration {
		begin := time.Now()
		west.Get(t, "west", "/cloudapi/1.0.0/sessions/current", Bearer(access)).Want(t, http.StatusOK)
		return time.Since(begin)
	}
	t.Run("VCD-38 VCD-91 R10 a service account crosses", func(t *testing.T) {
		within(t, 2*time.Second, "a request crosses", answers(http.StatusOK, time.Second))
	})

	net.cut(t)
	t.Run("R10 a cut link ends requests quickly and nothing at home", func(t *testing.T) {
		// Many ask, as long as it takes: who comes later must not wait with the first.
		fast := make(chan bool, 1)
		within(t, 5*time.Second, "requests over a silent link fail at once", func() bool {
			go func() {
				if answers(http.StatusServiceUnavailable, 100*time.Millisecond)() {
					select {
					case fast <- true:
					default:
					}
				}
			}()
			select {
			case <-fast:
				return true
			case <-time.After(200 * time.Millisecond):
				return false
			}
		})
		if took := local(); took > time.Second {
			t.Errorf("a request at home took %s while a peer was silent", took)
		}
		within(t, 60*time.Second, "the associations are UNREACHABLE", settled(t, west, "UNREACHABLE UNREACHABLE"))
	})
	net.heal(t)
	t.Run("R10 a healed link serves again", func(t *testing.T) {
		within(t, 45*time.Second, "a request crosses the healed link", answers(http.StatusOK, time.Second))
		within(t, 30*time.Second, "both associations are ACTIVE again", settled(t, west, bothActive))
	})

	east.process.Kill()
	t.Run("R10 a crashed peer is refused fast", func(t *testing.T) {
		within(t, 3*time.Second, "requests to a crashed peer fail at once", answers(http.StatusServiceUnavailable, 100*time.Millisecond))
		if took := local(); took > time.Second {
			t.Errorf("a request at home took %s while a peer was down", took)
		}
	})
	east.start(t)
	t.Run("R10 a restarted peer serves again", func(t *testing.T) {
		within(t, 45*time.Second, "a request crosses to the restarted site", answers(http.StatusOK, time.Second))
	})

	t.Run("R10 VCD-37 what one side ends, the other notices", func(t *testing.T) {
		for _, path := range []string{orgOf, "/api/site/associations"} {
			held := east.xml(t, http.MethodGet, path, "", nil).Want(t, http.StatusOK)
			href := memberHref.FindSubmatch(held.Body)
			if href == nil {
				t.Fatalf("no association has a href\n%s", held.Body)
			}
			east.xml(t, http.MethodDelete, strings.TrimPrefix(string(href[1]), east.place.url), "", nil).Want(t, http.StatusAccepted)
		}
		within(t, 12*time.Second, "the other side's associations are ASYMMETRIC", settled(t, west, "ASYMMETRIC ASYMMETRIC"))
		if status, _ := across(); status != http.StatusForbidden {
			t.Errorf("after the end a request crosses: %d", status)
		}
	})
}

var memberHref = regexp.MustCompile(`<(?:\w+:)?(?:Site|Org)AssociationMember[^>]* href="([^"]+)"`)
