package oauth_test

import (
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/oauth"
	"causeway/tenants"
)

// allowance is how often each may refresh in all, as a limit that regains nothing
// for an hour. It notes who asked, and who was refused.
type allowance struct {
	each    int
	counted []oauth.ClientID
	refused int
}

func (a *allowance) count(_ tenants.OrgID, id oauth.ClientID) (time.Duration, error) {
	before := 0
	for _, c := range a.counted {
		if c == id {
			before++
		}
	}
	a.counted = append(a.counted, id)
	switch {
	case before >= a.each:
		a.refused++
		return 0, problem.New(problem.TooManyRequests, "Too many.").After(time.Hour)
	case before+1 == a.each:
		return time.Hour, nil
	}
	return 0, nil
}

// cellWith is a cell that lets each refresh so often.
func (w *world) cellWith(each int) (*oauth.Service, *allowance) {
	a := &allowance{each: each}
	return w.newServiceWith(func(c *oauth.Config) { c.CountRefresh = a.count }), a
}

// TestRefreshLimit_R1_R13 shows tokens of all sorts where somebody else has used up
// what the limit gives. What is no good
// token is not counted, so strangers use up nobody's; a refusal writes nothing, and
// afterwards the token works as if it had not been. A replay is found out however
// often its account refreshes.
func TestRefreshLimit_R1_R13(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		for _, tt := range []struct {
			name  string
			show  func(w *world, current secret.Text) (secret.Text, *tenants.Snapshot)
			count int
			want  problem.Code
		}{
			{"the current token", func(w *world, current secret.Text) (secret.Text, *tenants.Snapshot) {
				return current, w.snapshot()
			}, 1, problem.TooManyRequests},
			{"a retry", func(w *world, current secret.Text) (secret.Text, *tenants.Snapshot) {
				w.mustRefresh(current)
				return current, w.snapshot()
			}, 1, problem.TooManyRequests},
			{"a user's token", func(w *world, _ secret.Text) (secret.Text, *tenants.Snapshot) {
				_, tokens := w.apiToken()
				return tokens.RefreshToken, w.snapshot()
			}, 1, problem.TooManyRequests},
			{"a replay", func(w *world, current secret.Text) (secret.Text, *tenants.Snapshot) {
				w.mustRefresh(w.mustRefresh(current).RefreshToken)
				return current, w.snapshot()
			}, 0, problem.Replayed},
			{"nobody's token", func(w *world, _ secret.Text) (secret.Text, *tenants.Snapshot) {
				return "00000000000000000000000000000000", w.snapshot()
			}, 0, problem.InvalidGrant},
			{"at another organization", func(w *world, current secret.Text) (secret.Text, *tenants.Snapshot) {
				return current, w.neighbour().snapshot()
			}, 0, problem.InvalidGrant},
			{"of a disabled organization", func(w *world, current secret.Text) (secret.Text, *tenants.Snapshot) {
				return current, w.disabled()
			}, 0, problem.InvalidGrant},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld(t, db)
				first := w.activate(w.newAccount())
				token, org := tt.show(w, first.RefreshToken)
				strict, limit := w.cellWith(0)
				_, err := strict.Refresh(w.ctx(), from(here), w.snapshot(), "", w.activate(w.newAccount()).RefreshToken)
				w.must(err) // the organization's first is counted when it is done
				limit.counted = nil

				before := r.in(t).all()
				_, err = strict.Refresh(w.ctx(), from(here), org, "", token)
				if wantProblem(t, err, tt.want); len(limit.counted) != tt.count {
					t.Errorf("counted %d times, want %d", len(limit.counted), tt.count)
				}
				if tt.count == 0 {
					return
				}
				if after := r.in(t).all(); after != before {
					t.Errorf("a refused refresh wrote: %s\nbefore:\n%s", after, before)
				}
				w.mustRefresh(token)
			})
		}
	})
}

// Who has used up a limit is refused before anything changes, by the token of the
// last refresh, by a spent one, and by a user's. When the limit gives again, so does
// the cell.
func TestRefreshLimit_R13_RefusesBeforeItChanges(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		spent, current := secret.Text(""), w.activate(w.newAccount()).RefreshToken
		_, user := w.apiToken()
		cell, limit := w.cellWith(3)
		refresh := func(token secret.Text) (secret.Text, error) {
			got, err := cell.Refresh(w.ctx(), from(here), w.snapshot(), "", token)
			return got.RefreshToken, err
		}
		for range limit.each {
			next, err := refresh(current)
			w.must(err)
			spent, current = current, next
			_, err = refresh(user.RefreshToken)
			w.must(err)
		}
		if limit.refused != 0 {
			t.Errorf("%d refreshes were refused and done", limit.refused)
		}
		before := r.in(t).all()
		for name, token := range map[string]secret.Text{"the current token": current, "a spent one": spent, "a user's": user.RefreshToken} {
			if _, err := refresh(token); problem.As(err) == nil || problem.As(err).Code != problem.TooManyRequests {
				t.Errorf("%s: %v", name, err)
			}
		}
		if after := r.in(t).all(); after != before {
			t.Errorf("a refused refresh wrote: %s\nbefore:\n%s", after, before)
		}
		w.clock.add(time.Hour + time.Second)
		limit.counted = nil
		_, err := refresh(current)
		w.must(err)
	})
}

// Each cell counts for itself. Who goes from one to the other gets what both give,
// and not more: neither sees the tokens that the other gives out.
func TestRefreshLimit_R13_TwoCellsInTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	one, oneLimit := w.cellWith(5)
	two, twoLimit := w.cellWith(5)
	current, done := w.activate(w.newAccount()).RefreshToken, 0
	for i := range 20 {
		cell := []*oauth.Service{one, two}[i%2]
		got, err := cell.Refresh(w.ctx(), from(here), w.snapshot(), "", current)
		if problem.Has(err, problem.TooManyRequests) {
			continue
		}
		w.must(err)
		current, done = got.RefreshToken, done+1
	}
	if done != 10 {
		t.Errorf("%d refreshes, want 10", done)
	}
	if oneLimit.refused != 5 || twoLimit.refused != 5 {
		t.Errorf("refused %d and %d times, want 5 each", oneLimit.refused, twoLimit.refused)
	}
}

// However many turns a refresh takes, it counts once, by the account it belongs to.
func TestRefreshLimit_R13_CountsTheAccount(t *testing.T) {
	w := newWorld(t, newDB(t))
	a := w.newAccount()
	first := w.activate(a)
	counting, limit := w.cellWith(10)
	second, err := counting.Refresh(w.ctx(), from(here), w.snapshot(), "", first.RefreshToken)
	w.must(err)
	wantCounted(t, limit, a)
	_, err = counting.Refresh(w.ctx(), from(here), w.snapshot(), a.ID, first.RefreshToken) // a retry
	w.must(err)
	wantCounted(t, limit, a, a)
	for range 8 {
		second, err = counting.Refresh(w.ctx(), from(here), w.snapshot(), "", second.RefreshToken)
		w.must(err)
	}
	if len(limit.counted) != 10 {
		t.Errorf("counted %d times, want 10", len(limit.counted))
	}
}

func wantCounted(t *testing.T, limit *allowance, want ...oauth.ServiceAccount) {
	t.Helper()
	if len(limit.counted) != len(want) {
		t.Fatalf("counted %v, want %d", limit.counted, len(want))
	}
	for i, a := range want {
		if limit.counted[i] != a.ID {
			t.Errorf("counted %v, want %s", limit.counted, a.ID)
		}
	}
}
