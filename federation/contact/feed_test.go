package contact

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/tenants"
)

// notes is a Forgetter that remembers what it was told.
type notes struct {
	mu   sync.Mutex
	list []string
}

func (n *notes) Forget(_ tenants.SiteID, what federation.Revocation) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, what.Kind+" "+what.ID)
}

func (n *notes) Flush(tenants.SiteID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, "flush")
}

func (n *notes) take() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := strings.Join(n.list, ", ")
	n.list = nil
	return text
}

func (m *memory) end(org tenants.OrgID, session string) {
	m.record(journal.Entry{Org: string(org), Action: journal.SessionEnded, Subject: journal.Subject{Kind: journal.KindSession, ID: session}})
}

// newFollowing is west, which accepts tokens of east's organization.
func newFollowing(t *testing.T) (w, e *cell, we *link, told *notes) {
	t.Helper()
	told = &notes{}
	w, e = newCell(west, func(c *Config) { c.Forget = told }), newCell(east)
	we, _ = connect(w, e)
	w.pair(orgW, orgE, east, true)
	e.pair(orgE, orgW, west, true)
	a := w.orgs[pairW]
	a.Direct = true
	w.orgs[pairW] = a
	w.associate(east, act)
	e.associate(west, act)
	w.start(t)
	e.start(t)
	time.Sleep(5 * time.Second)
	synctest.Wait()
	if got := told.take(); got != "flush" {
		t.Fatalf("before a feed is followed: %q", got)
	}
	return w, e, we, told
}

// What ends at home is told at once, in order, and only of organizations that are
// associated with ours (R4, R6).
func TestFeed_R4_ToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, e, we, told := newFollowing(t)
		e.end(orgE, "one")
		e.end("aaaaaaaa-0000-4000-8000-00000000dead", "another's")
		e.record(journal.Entry{Org: string(orgE), Action: journal.AccountRevoked, Subject: journal.Subject{Kind: journal.KindAccount, ID: "app"}})
		e.record(journal.Entry{Org: string(orgE), Action: journal.RoleUpdated, Subject: journal.Subject{Kind: journal.KindRole, ID: "role"}})
		e.record(journal.Entry{Org: string(tenants.SystemOrgID), Action: journal.KeyRetired, Subject: journal.Subject{Kind: journal.KindKey, ID: "k"}})
		e.record(journal.Entry{Action: journal.OrganizationDisabled, Subject: journal.Subject{Kind: journal.KindOrganization, ID: string(orgE)}})
		synctest.Wait() // no time passes
		if got, want := told.take(), "session one, serviceAccount app, key k, organization "+string(orgE); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		before := we.asked(RevocationsPath)
		time.Sleep(10 * time.Minute)
		if asked := we.asked(RevocationsPath) - before; asked > 31 || told.take() != "" {
			t.Errorf("%d questions in ten silent minutes", asked)
		}
	})
}

// After a gap everything is forgotten before anything is told (I10); a short one
// is no gap, because the other side remembers.
func TestFeed_I10_NothingSurvivesAGap(t *testing.T) {
	for _, tt := range []struct {
		name  string
		apart time.Duration
		meant func(e *cell) // what happens meanwhile
		first string
	}{
		{"a short outage", 30 * time.Second, func(e *cell) { e.end(orgE, "x") }, "session x"},
		{"a long one", 2 * time.Minute, func(e *cell) { e.end(orgE, "x") }, "flush"},
		{"a short one, and more than is remembered", 20 * time.Second, func(e *cell) {
			for range maxRemembered + 1 {
				e.end(orgE, "x")
			}
		}, "flush"},
		{"a short one, and a cell that began anew", 20 * time.Second, func(e *cell) { e.end(orgE, "x"); e.Service.Flush(); e.end(orgE, "x") }, "flush"},
		{"a short one, and a journal from a backup", 20 * time.Second, func(e *cell) {
			e.memory.mu.Lock()
			e.rows = e.rows[:1]
			e.memory.mu.Unlock()
			e.Service.Flush()
		}, "flush"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, e, we, told := newFollowing(t)
				we.set(true)
				time.Sleep(22 * time.Second) // the question that is open comes to its end
				synctest.Wait()
				told.take()
				tt.meant(e)
				time.Sleep(tt.apart)
				we.set(false)
				time.Sleep(15 * time.Second)
				synctest.Wait()
				if got := told.take(); !strings.HasPrefix(got, tt.first) {
					t.Errorf("told %.80q, want %q first", got, tt.first)
				}
				e.end(orgE, "later")
				synctest.Wait()
				if got := told.take(); got != "session later" {
					t.Errorf("after the gap: %q", got)
				}
				w.memory.mu.Lock()
				delete(w.orgs, pairW)
				w.memory.mu.Unlock()
				signal(w.direct)
				time.Sleep(5 * time.Second)
				if got := told.take(); got != "flush" {
					t.Errorf("when nothing is accepted any more: %q", got)
				}
			})
		})
	}
}

// A cell that is a moment behind the one asked before is no gap. One that lost its
// database answers nothing rather than silence.
func TestFeed_CellsThatLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newCell(east)
		e.associate(west, act)
		e.pair(orgE, orgW, west, true)
		now := e.Applied()
		go func() {
			time.Sleep(time.Second)
			e.end(orgE, "x")
		}()
		late := newLagging(e, now+1, 2*time.Second)
		got, err := late.Revoked(t.Context(), west, now+1, time.Second)
		if err != nil || got.Reset || got.Seq != now+1 {
			t.Errorf("a moment behind: %+v, %v", got, err)
		}
		if got, err := e.Revoked(t.Context(), west, now+50, time.Second); err != nil || !got.Reset {
			t.Errorf("from a future that never comes: %+v, %v", got, err)
		}
		e.memory.mu.Lock()
		e.stale = true
		e.memory.mu.Unlock()
		if _, err := e.Revoked(t.Context(), west, 0, 0); !problem.Has(err, problem.Unavailable) {
			t.Errorf("without a database: %v", err)
		}
		synctest.Wait()
	})
}

// lagging is a journal that comes to know a row later.
type lagging struct {
	*memory
	d time.Duration
}

func (l lagging) WaitFor(_ context.Context, seq int64) error { time.Sleep(l.d); return nil }

func newLagging(e *cell, seq int64, d time.Duration) *Service {
	e.Service.Journal = lagging{e.memory, d}
	return e.Service
}

// One site holds so many questions open and asks so often; a cell that ends
// answers them all.
func TestFeed_R10_Bounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newCell(east)
		e.associate(west, act)
		now := e.Applied()
		var held sync.WaitGroup
		for range maxHeld {
			held.Go(func() {
				if _, err := e.Revoked(t.Context(), west, now, time.Minute); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if _, err := e.Revoked(t.Context(), west, now, time.Minute); !problem.Has(err, problem.TooManyRequests) {
			t.Errorf("one more question: %v", err)
		}
		start := time.Now()
		e.Leave()
		held.Wait()
		if time.Since(start) > 0 {
			t.Errorf("held questions were answered after %v", time.Since(start))
		}
		refused := 0
		for range 2 * burst {
			if _, err := e.Orgs(t.Context(), west, OrgQuery{}); problem.Has(err, problem.TooManyRequests) {
				refused++
			}
		}
		if refused < burst {
			t.Errorf("%d of %d questions at once were refused", refused, 2*burst)
		}
		beats := 0
		for range 2 * beatsBurst {
			if _, err := e.Hear(t.Context(), west, Heartbeat{Site: west, Time: time.Now(), HoldsYou: true}); err == nil {
				beats++
			} else if !problem.Has(err, problem.TooManyRequests) {
				t.Fatal(err)
			}
		}
		if beats != beatsBurst {
			t.Errorf("%d of %d heartbeats at once were heard from a site that has asked too much", beats, 2*beatsBurst)
		}
	})
}

// A site that answers every question at once, with nothing, with something or with
// the end of keys, is asked at a bounded rate; what it ends is still forgotten.
func TestFeed_R10_AHurriedSiteSetsNoPace(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		most   int // questions in a minute
	}{
		"nothing":    {`{"seq":7,"list":[]}`, 40},
		"sessions":   {`{"seq":7,"list":[{"kind":"session","id":"x"}]}`, answersBurst + 302},
		"keys":       {`{"seq":7,"list":[{"kind":"key","id":"x"}]}`, keysBurst + 14},
		"everything": {`{"seq":7,"reset":true,"list":[]}`, keysBurst + 14},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, _, we, told := newFollowing(t)
				we.answers(func(r *http.Request) *http.Response {
					if r.URL.Path != RevocationsPath {
						return nil
					}
					return response(http.StatusOK, []byte(tt.answer))
				})
				time.Sleep(time.Minute)
				before := we.asked(RevocationsPath)
				time.Sleep(time.Minute)
				if n := we.asked(RevocationsPath) - before; n > tt.most || n < 5 {
					t.Errorf("%d questions in a minute, want at most %d", n, tt.most)
				}
				if got := told.take(); name == "keys" && strings.Count(got, "key x") < 10 {
					t.Errorf("told %q", got)
				}
			})
		})
	}
}

func FuzzParseFeedQuery(f *testing.F) {
	f.Add("since=-1&wait=20")
	f.Add("since=9223372036854775807&wait=99999999999")
	f.Fuzz(func(t *testing.T, raw string) {
		v, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		if since, wait, err := ParseFeedQuery(v); err == nil && (since < -1 || wait < 0 || wait > time.Minute) {
			t.Errorf("%q: %d, %v", raw, since, wait)
		}
	})
}

// What a peer sends is read or refused, and bounded.
func FuzzMessages(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(`{"site":%q,"name":"x","time":"2026-01-02T03:04:05Z","head":3,"api":{"min":36,"max":39},"holds":"ACTIVE","holdsYou":true,"new":[]}`, west)))
	f.Add([]byte(fmt.Sprintf(`{"seq":1,"whole":true,"pairs":[{"org":%q,"with":%q,"name":"x","enabled":true,"held":true}]}`, orgE, orgW)))
	f.Add([]byte(`{"seq":7,"reset":true,"list":[{"org":"","kind":"session","id":"x"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if h, err := ParseHeartbeat(body); err == nil && (len(h.Name) > maxName || h.Head < 0 || h.Time.IsZero()) {
			t.Errorf("%+v", h)
		}
		if p, err := ParseOrgPage(body); err == nil && len(p.Pairs) > maxPairs {
			t.Errorf("%d pairs", len(p.Pairs))
		}
		if e, err := ParseEnded(body); err == nil && len(e.List) > maxEnded {
			t.Errorf("%d revocations", len(e.List))
		}
	})
}
