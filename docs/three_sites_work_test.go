package docs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/dev"
	"causeway/internal/sitetest"
)

const software = "0b3cbb39-3a19-4a4f-9f6f-7d1c5e7a9f01"

// work is what clients do all the time, through the balancer of west, and what they
// were answered.
type work struct {
	*federation
	admin, access string
	location      map[string]string // of System, by site
	cancel        context.CancelFunc
	done          sync.WaitGroup

	mu      sync.Mutex
	failed  []string        // what was not answered as it should be, since the last look
	away    map[string]bool // sites that could not be reached
	kept    []string        // names of accounts whose creation was acknowledged
	refresh string          // the token that the last answer gave
	asked   atomic.Int64
	made    atomic.Int64 // names of accounts
}

// work logs in, makes an app known at all sites and lets it begin.
func (f *federation) work(t *testing.T) *work {
	t.Helper()
	w := &work{federation: f, location: map[string]string{}, away: map[string]bool{}}
	file := &dev.File{CA: f.path("admin", "etc/causeway/ca.pem")}
	for _, site := range sites {
		password, err := os.ReadFile(f.path("admin", "home", site+".password"))
		if err != nil {
			t.Fatal(err)
		}
		file.Sites = append(file.Sites, dev.SiteFile{
			Name: site, API: f.url(site), Admin: dev.Login{User: "administrator", Password: strings.TrimSpace(string(password))},
		})
	}
	f.Client = sitetest.NewClient(f.t, file)
	for i, site := range sites {
		admin := f.Login(t, site, sitetest.System)
		w.location[site] = f.Get(t, site, "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(admin)).String(t, "location")
		client := f.Register(t, site, sitetest.System, admin, "app", software, "System Administrator")
		if i == 0 {
			w.admin = admin
			w.access, w.refresh = f.ConnectAs(t, site, sitetest.System, admin, client)
		}
	}
	var ctx context.Context
	ctx, w.cancel = context.WithCancel(context.Background())
	for _, job := range []struct {
		every time.Duration
		do    func()
	}{
		{5 * time.Millisecond, w.read}, {10 * time.Millisecond, func() { w.cross("east") }}, {10 * time.Millisecond, func() { w.cross("north") }},
		{20 * time.Millisecond, w.create}, {600 * time.Millisecond, w.renew}, // an account may ask 300 times a second, and refresh twice
	} {
		w.done.Go(func() {
			pace := time.NewTicker(job.every)
			defer pace.Stop()
			for ctx.Err() == nil {
				job.do()
				w.asked.Add(1)
				<-pace.C
			}
		})
	}
	return w
}

func (w *work) stop() {
	w.cancel()
	w.done.Wait()
	w.Hangup()
}

// look forgets what has failed so far and which sites were away, and returns it.
func (w *work) look() (failed, away []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	failed, away = w.failed, slices.Sorted(maps.Keys(w.away))
	w.failed, w.away = nil, map[string]bool{}
	return failed, away
}

func (w *work) note(what string, a sitetest.Answer, err error, want int) bool {
	if err == nil && a.Status == want {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = append(w.failed, fmt.Sprintf("%s: %d %v %.200s", what, a.Status, err, a.Body))
	return false
}

const current = "/cloudapi/1.0.0/sessions/current"

func (w *work) read() {
	a, err := w.Try(http.MethodGet, w.url("west")+current, sitetest.Bearer(w.access), nil)
	w.note("read", a, err, http.StatusOK)
}

// cross asks another site. That it cannot be reached is an answer: the app is told,
// and when to ask again.
func (w *work) cross(site string) {
	a, err := w.Try(http.MethodGet, w.url("west")+current, sitetest.Bearer(w.access, "X-VMWARE-VCLOUD-AUTH-CONTEXT", w.location[site]), nil)
	if err == nil && a.Status == http.StatusServiceUnavailable && strings.Contains(string(a.Body), "SITE_UNREACHABLE") && a.Header.Get("Retry-After") != "" {
		w.mu.Lock()
		w.away[site] = true
		w.mu.Unlock()
		return
	}
	w.note("cross to "+site, a, err, http.StatusOK)
}

// renew refreshes the app's token as a careful client does: the new one counts once
// it is held, and until then the old one is shown again.
func (w *work) renew() {
	a, err := w.TryForm("west", sitetest.System, "token", "grant_type", "refresh_token", "refresh_token", w.refresh)
	if !w.note("refresh", a, err, http.StatusOK) {
		return
	}
	var token struct {
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(a.Body, &token); err != nil || token.Refresh == "" {
		w.note("refresh", a, fmt.Errorf("no token: %w", err), http.StatusOK)
		return
	}
	w.refresh = token.Refresh
}

// create makes an account with a name of its own.
func (w *work) create() {
	name := fmt.Sprintf("account-%d", w.made.Add(1))
	a, err := w.TrySend(http.MethodPost, "west", sitetest.Realm(sitetest.System)+"/register", sitetest.Bearer(w.admin), map[string]string{
		"client_name": name, "software_id": software, "scope": "urn:vcloud:role:System%20Administrator", "client_uri": "", "software_version": "1.0",
	})
	if w.note("create", a, err, http.StatusCreated) {
		w.mu.Lock()
		w.kept = append(w.kept, name)
		w.mu.Unlock()
	}
}

// calm waits until everything is answered as it should be, for half a second and many
// requests, and returns when that began: not later than within from now on.
func (w *work) calm(t *testing.T, within time.Duration) (since time.Time) {
	t.Helper()
	begin := time.Now()
	for since, asked := begin, w.asked.Load(); ; time.Sleep(10 * time.Millisecond) {
		if failed, _ := w.look(); len(failed) > 0 {
			since, asked = time.Now(), w.asked.Load()
			if since.Sub(begin) > within {
				t.Fatalf("not calm after %s: %s", within, failed[0])
			}
		} else if time.Since(since) > 500*time.Millisecond && w.asked.Load() > asked+50 {
			return since
		}
	}
}

// wantNoFailure fails the test if anything was answered otherwise than it should be
// since the last look: no site was away but that of a host which is its only cell.
func (w *work) wantNoFailure(t *testing.T, host string) {
	t.Helper()
	failed, away := w.look()
	if len(failed) > 0 {
		t.Errorf("%s: %d requests failed, the first: %s", host, len(failed), failed[0])
	}
	for _, site := range away {
		if !strings.HasPrefix(host, site) {
			t.Errorf("%s: %s was away", host, site)
		}
	}
}

// wantKept wants every account whose creation was acknowledged, and the app's token.
func (w *work) wantKept(t *testing.T) {
	w.stop()
	there, admin := map[string]bool{}, w.Login(t, "west", sitetest.System)
	for page, pages := 1, 1; page <= pages; page++ {
		a := w.Get(t, "west", fmt.Sprintf("%s?pageSize=100&page=%d", sitetest.Accounts(""), page), sitetest.Bearer(admin)).Want(t, http.StatusOK)
		var list struct {
			PageCount int
			Values    []struct{ Name string }
		}
		if err := json.Unmarshal(a.Body, &list); err != nil {
			t.Fatal(err)
		}
		pages = list.PageCount
		for _, v := range list.Values {
			there[v.Name] = true
		}
	}
	lost := 0
	for _, name := range w.kept {
		if !there[name] {
			lost++
		}
	}
	if lost > 0 || len(w.kept) < 50 {
		t.Errorf("%d of %d accounts are lost", lost, len(w.kept))
	}
	w.Refresh(t, "west", sitetest.System, w.refresh).Want(t, http.StatusOK)
	t.Logf("%d requests, %d accounts acknowledged", w.asked.Load(), len(w.kept))
}
