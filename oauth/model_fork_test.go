package oauth_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
)

// holder is somebody with a token in a file, who shows it, keeps what is answered
// and shows the same again when nothing is.
type holder struct {
	source string
	token  secret.Text
}

// advance refreshes once. lost says that no answer came: the file stays as it is.
func (h *holder) advance(w *world, cell *oauth.Service, blown int, givesUp bool) (lost bool, err error) {
	ctx := w.ctx()
	var f *fuse
	if blown > 0 {
		ctx, f = fused(ctx, blown, givesUp)
	}
	got, err := cell.Refresh(ctx, from(h.source), w.snapshot(), "", h.token)
	if f != nil && problem.Has(err, problem.Unavailable) {
		return true, nil
	}
	if err == nil {
		h.token = got.RefreshToken
	}
	return false, err
}

// Whoever shows what they were given last, and shows it again when no answer came,
// keeps the account for ever: through failures at every step, at cells that know
// nothing of each other, with other accounts beside it.
func TestSoakCarefulClient_R3_VCD18_VCD19(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		cells := []*oauth.Service{w.newService(faulty{db.OAuth()}), w.newService(faulty{db.OAuth()})}
		var refreshed, lost atomic.Int64
		var accounts []oauth.ServiceAccount
		var holders []*holder
		for range 4 { // before the clock moves: a code that is granted can expire
			a := w.newAccount()
			accounts, holders = append(accounts, a), append(holders, &holder{here, w.activate(a).RefreshToken})
		}
		together(4, func(i int) {
			a, h := accounts[i], holders[i]
			for range rounds(20, 2600) {
				for tries := 0; ; tries++ {
					blown := 0
					if tries < 6 && rand.IntN(2) == 0 {
						blown = 1 + rand.IntN(8)
					}
					silent, err := h.advance(w, cells[rand.IntN(2)], blown, rand.IntN(4) == 0)
					if err != nil {
						t.Errorf("an honest client is refused after %d tries: %v", tries, err)
						return
					}
					if !silent {
						break
					}
					lost.Add(1)
				}
				refreshed.Add(1)
				w.clock.add(rand.N(10 * time.Minute))
			}
			w.wantStatus(a, oauth.Active)
		})
		if n := len(w.recorded(journal.FamilyReplayed)); n != 0 {
			t.Errorf("%d false alarms", n)
		}
		if n := r.conflicts.n.Load(); n != 0 {
			t.Logf("%d transactions were run again", n)
		}
		t.Logf("%d refreshes, %d answers lost, no account lost", refreshed.Load(), lost.Load())
	})
}

// A copied token is noticed: when both who hold it go on, the family ends and the
// journal names both of them; and while they keep in step within the grace window,
// the token events name both.
func TestSoakFork_R3_VCD18_IsNeverUnnoticed(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		cells := []*oauth.Service{w.newService(faulty{db.OAuth()}), w.newService(faulty{db.OAuth()})}
		forks, refreshes, inStep := 0, 0, 0
		for range rounds(8, 900) {
			a := w.newAccount()
			owner, thief := &holder{here, w.activate(a).RefreshToken}, &holder{source: there}
			step := func(h *holder) (answered, alive bool) {
				w.clock.add([]time.Duration{0, time.Second, 20 * time.Second, minute, time.Hour}[rand.IntN(5)])
				silent, err := h.advance(w, cells[rand.IntN(2)], max(0, rand.IntN(16)-8), false)
				if !silent {
					refreshes++
				}
				return !silent, err == nil
			}
			old := owner.token
			for range rand.IntN(4) {
				before := owner.token
				answered, alive := step(owner)
				if !alive {
					t.Fatal("the owner is refused before there is a thief")
				}
				if answered {
					old = before
				}
			}
			thief.token = []secret.Text{old, owner.token}[rand.IntN(2)]
			forks++
			alive := true
			steps := map[*holder]int{}
			for n := 0; alive && n < 40; n++ {
				who, answered := []*holder{owner, thief}[rand.IntN(2)], false
				if answered, alive = step(who); answered && alive {
					steps[who]++
				}
			}
			alarms := w.alarmsOf(a)
			events := r.count(fmt.Sprintf("token_events WHERE account_id = '%s' AND kind = 'retried' AND detail LIKE '%%first shown from%%'", a.ID))
			switch {
			case !alive && len(alarms) != 1:
				t.Fatalf("the family ended with %d alarms", len(alarms))
			case !alive:
				d := alarms[0].Detail
				named := []string{d["firstShownFrom"], d["continuedFrom"], d["replayedFrom"]}
				if !slices.Contains(named, here) || !slices.Contains(named, there) {
					t.Fatalf("the alarm does not name both: %v", d)
				}
				r.in(t).wantNothingLive(a)
			case steps[owner] > 0 && steps[thief] > 0 && events == 0:
				t.Fatalf("owner and thief went on, %d and %d times, and nothing tells of it", steps[owner], steps[thief])
			default:
				inStep++
			}
		}
		t.Logf("%d forks in %d refreshes: %d ended, %d kept in step and are on record", forks, refreshes, forks-inStep, inStep)
	})
}

// alarmsOf are the journal's rows about replays of an account's tokens.
func (w *world) alarmsOf(a oauth.ServiceAccount) (rows []journal.Row) {
	for _, row := range w.recorded(journal.FamilyReplayed) {
		if row.Subject.ID == string(a.ID) {
			rows = append(rows, row)
		}
	}
	return rows
}

// The owner showed a token first and never heard the answer; the thief went on
// with it. Who reads the alarm must not think that the owner was alone.
func TestReplay_R3_VCD18_NamesWhoWentOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		token := w.activate(a).RefreshToken
		w.mustRefresh(token) // the answer is lost
		stolen, err := w.refresh(there, token)
		w.must(err)
		_, err = w.refresh(there, stolen.RefreshToken)
		w.must(err)
		w.clock.add(time.Hour)
		_, err = w.refresh(here, token)
		wantProblem(t, err, problem.Replayed)
		for _, alarm := range w.alarmsOf(a) {
			if d := alarm.Detail; d["firstShownFrom"] != here || d["continuedFrom"] != there || d["replayedFrom"] != here {
				t.Errorf("the alarm says %v", d)
			}
		}
	})
}
