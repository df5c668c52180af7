package docs

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/sitetest"
)

// How soon west answers again.
const (
	backAfterKill     = 3 * time.Second
	backAfterDatabase = 30 * time.Second
)

// restartAll restarts the cells one after the other, each when the one before is
// ready. Where a site has but one, it alone is away for the moment.
func (f *federation) restartAll(t *testing.T, w *work) {
	w.calm(t, 10*time.Second)
	for _, host := range cells {
		f.running[host].Stop(t)
		f.launch(host)
		f.wantReady(t, host, 30*time.Second)
		if strings.HasPrefix(host, "west") {
			f.wantServed(t, host)
		}
		sitetest.Eventually(t, 30*time.Second, "all sites are reached", func() bool { return f.reachesAll(w) })
		w.wantNoFailure(t, host)
	}
}

func (f *federation) wantReady(t *testing.T, host string, within time.Duration) {
	t.Helper()
	begin := time.Now()
	sitetest.Eventually(t, within, host+" is ready", func() bool { return f.ready(host) })
	t.Logf("%s is ready after %s", host, time.Since(begin).Round(time.Millisecond))
}

// wantServed wants the balancer to send new connections to a cell of west again: it
// looks once a second, and believes the second look.
func (f *federation) wantServed(t *testing.T, host string) {
	t.Helper()
	before := sitetest.Requests(t, f.operations(host))
	fresh := sitetest.Trusting(t, f.File.CA)
	fresh.Transport.(*http.Transport).DisableKeepAlives = true
	sitetest.Eventually(t, 10*time.Second, "the balancer sends requests to "+host, func() bool {
		res, err := fresh.Get(f.url("west") + "/api/versions")
		if err == nil {
			_ = res.Body.Close()
		}
		return sitetest.Requests(t, f.operations(host)) > before
	})
}

// reachesAll asks both other sites once.
func (f *federation) reachesAll(w *work) bool {
	return !slices.ContainsFunc(sites, func(site string) bool {
		a, err := f.Try(http.MethodGet, f.url("west")+current, sitetest.Bearer(w.access, "X-VMWARE-VCLOUD-AUTH-CONTEXT", w.location[site]), nil)
		return err != nil || a.Status != http.StatusOK
	})
}

// killAll kills every process, as a supervisor that starts them again sees it.
func (f *federation) killAll(t *testing.T, w *work) {
	for _, host := range append(slices.Clone(cells), "west-lb") {
		w.calm(t, 10*time.Second)
		begin := time.Now()
		if host == "west-lb" {
			f.unbalance()
			f.balance()
		} else {
			f.running[host].Kill()
			f.launch(host)
			f.wantReady(t, host, backAfterKill)
		}
		t.Logf("%s was killed: all is well %s later", host, f.wantBack(t, w, begin, backAfterKill))
	}
	sitetest.Eventually(t, 30*time.Second, "all sites are reached", func() bool { return f.reachesAll(w) })
}

// stopDatabase takes west's database away in order, killDatabase as a crash does. West's
// cells say so, refuse, and come back by themselves.
func (f *federation) stopDatabase(t *testing.T, w *work) {
	f.withoutDatabase(t, w, func() {
		if err := f.primary.Halt(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func (f *federation) killDatabase(t *testing.T, w *work) { f.withoutDatabase(t, w, f.primary.Kill) }

func (f *federation) withoutDatabase(t *testing.T, w *work, away func()) {
	w.calm(t, 10*time.Second)
	away()
	sitetest.Eventually(t, 10*time.Second, "west is not ready", func() bool { return !f.ready("west-1") && !f.ready("west-2") })
	if err := f.primary.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("serves again %s after its database", f.wantBack(t, w, time.Now(), backAfterDatabase))
}

// failOver kills the primary and has the standby take its place.
func (f *federation) failOver(t *testing.T, w *work) {
	w.calm(t, 10*time.Second)
	begin := time.Now()
	f.primary.Kill()
	if err := f.standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("serves again %s after the primary was killed", f.wantBack(t, w, begin, backAfterDatabase))
}

// wantBack wants west to answer as it should soon after begin, by both cells, and says
// how soon.
func (f *federation) wantBack(t *testing.T, w *work, begin time.Time, within time.Duration) time.Duration {
	t.Helper()
	took := w.calm(t, within).Sub(begin)
	if took > within {
		t.Errorf("serves again after %s; at most %s", took, within)
	}
	sitetest.Eventually(t, within, "both cells of west are ready", func() bool { return f.ready("west-1") && f.ready("west-2") })
	return max(took, 0).Round(time.Millisecond)
}
