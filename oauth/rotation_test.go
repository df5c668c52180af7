package oauth_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// step shows the token of a generation, after a wait, from somewhere. The answer
// must be the token of the next generation, or a problem.
type step struct {
	after time.Duration
	show  int
	from  string
	want  problem.Code // empty: the next generation
}

const (
	ms     = time.Millisecond
	minute = time.Minute
	day    = 24 * time.Hour
)

func TestRotation_VCD18(t *testing.T) {
	t.Parallel()
	defaults := func(*oauth.Policy) {}
	strict := func(p *oauth.Policy) { p.RetryWindow = 0 }
	narrow := func(p *oauth.Policy) { p.RetryWindow = 10 * time.Second }
	noGrace := func(p *oauth.Policy) { p.GraceWindow = 0 }
	wide := func(p *oauth.Policy) { p.GraceWindow, p.MaxRetries = 5*time.Minute, 1 }
	noGraceNarrow := func(p *oauth.Policy) { p.GraceWindow, p.RetryWindow, p.MaxRetries = 0, 10*time.Second, 1 }
	twoRetries := func(p *oauth.Policy) { p.MaxRetries = 2 }
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, tt := range []struct {
			name   string
			policy func(*oauth.Policy)
			steps  []step
		}{
			{"the current token gives its successor", defaults, []step{{0, 0, here, ""}, {day, 1, here, ""}, {day, 2, there, ""}}},
			{"a retry gives the same successor", defaults, []step{{0, 0, here, ""}, {0, 0, here, ""}, {minute, 0, here, ""}}},
			{"and the successor works after it", defaults, []step{{0, 0, here, ""}, {0, 0, here, ""}, {0, 1, here, ""}, {0, 2, here, ""}}},
			{"a retry of a later generation", defaults, []step{{0, 0, here, ""}, {0, 1, here, ""}, {0, 1, here, ""}, {0, 2, here, ""}}},
			{"a replay once the successor was presented", defaults, []step{{0, 0, here, ""}, {0, 1, here, ""}, {0, 0, here, problem.Replayed}}},
			{"a replay much later", defaults, []step{{0, 0, here, ""}, {0, 1, here, ""}, {0, 2, here, ""}, {365 * day, 0, here, problem.Replayed}}},
			{"a replay from elsewhere", defaults, []step{{0, 0, here, ""}, {0, 1, here, ""}, {0, 0, there, problem.Replayed}}},
			{"a replay after a retry", defaults, []step{{0, 0, here, ""}, {0, 0, here, ""}, {0, 1, here, ""}, {0, 0, here, problem.Replayed}}},

			{"grace from any source", defaults, []step{{0, 0, here, ""}, {minute - ms, 0, there, ""}}},
			{"grace ends", defaults, []step{{0, 0, here, ""}, {minute, 0, there, problem.Replayed}}},
			{"grace counts from the first showing", defaults, []step{{0, 0, here, ""}, {40 * time.Second, 0, there, ""}, {20 * time.Second, 0, there, problem.Replayed}}},
			{"no grace, not by a cell whose clock is behind either", noGrace, []step{{0, 0, here, ""}, {-time.Second, 0, there, problem.Replayed}}},
			{"no grace", noGrace, []step{{0, 0, here, ""}, {0, 0, here, ""}, {0, 0, there, problem.Replayed}}},
			{"no grace is for others: many at once from the same source", noGrace, append([]step{{0, 0, here, ""}}, again(15)...)},
			{"which do not count for a minute", noGrace, append(append([]step{{0, 0, here, ""}, {minute - ms, 0, here, ""}}, again(15)...), append([]step{{ms, 0, here, ""}}, again(9)...)...)},
			{"and count then", noGrace, append(append([]step{{0, 0, here, ""}, {minute, 0, here, ""}}, again(9)...), step{0, 0, here, problem.Replayed})},
			{"no grace in a short window", noGraceNarrow, append(append([]step{{0, 0, here, ""}, {10*time.Second - ms, 0, here, ""}}, again(5)...), step{ms, 0, here, problem.Replayed})},
			{"a longer grace is everybody's", wide, []step{{0, 0, here, ""}, {5*minute - ms, 0, here, ""}, {0, 0, here, ""}, {0, 0, there, ""}, {ms, 0, here, ""}, {0, 0, here, problem.Replayed}}},

			{"the window of the same source", defaults, []step{{0, 0, here, ""}, {day - ms, 0, here, ""}}},
			{"the window ends", defaults, []step{{0, 0, here, ""}, {day, 0, here, problem.Replayed}}},
			{"the window counts from the first showing", defaults, []step{{0, 0, here, ""}, {day / 2, 0, here, ""}, {day / 2, 0, here, problem.Replayed}}},
			{"the window is that of who showed it first", defaults, []step{{0, 0, here, ""}, {0, 0, there, ""}, {minute, 0, there, problem.Replayed}}},
			{"the window opens anew with each generation", defaults, []step{{0, 0, here, ""}, {day - ms, 1, here, ""}, {day - ms, 1, here, ""}}},
			{"a window shorter than the grace bounds it", narrow, []step{{0, 0, here, ""}, {10 * time.Second, 0, here, problem.Replayed}}},
			{"inside a short window", narrow, []step{{0, 0, here, ""}, {10*time.Second - ms, 0, there, ""}}},

			{"ten retries", defaults, append(append([]step{{0, 0, here, ""}, {minute, 0, here, ""}}, again(9)...), step{0, 1, here, ""})},
			{"an eleventh is a replay", defaults, append(append([]step{{0, 0, here, ""}, {minute, 0, here, ""}}, again(9)...), step{0, 0, here, problem.Replayed})},
			{"as many as configured", twoRetries, []step{{0, 0, here, ""}, {minute, 0, here, ""}, {0, 0, here, ""}, {0, 0, here, problem.Replayed}}},
			{"each generation has its own", twoRetries, []step{{0, 0, here, ""}, {minute, 0, here, ""}, {0, 0, here, ""}, {0, 1, here, ""}, {minute, 1, here, ""}, {0, 1, here, ""}, {0, 2, here, ""}}},
			{"many at once in the grace window", defaults, append([]step{{0, 0, here, ""}}, again(15)...)},
			{"which do not count", defaults, append(append([]step{{0, 0, here, ""}}, again(15)...), append([]step{{minute, 0, here, ""}}, again(9)...)...)},

			{"strict: the successor", strict, []step{{0, 0, here, ""}, {0, 1, here, ""}, {0, 2, here, ""}}},
			{"strict: no retry", strict, []step{{0, 0, here, ""}, {0, 0, here, problem.Replayed}}},
			{"strict: no retry by a cell whose clock is behind", strict, []step{{0, 0, here, ""}, {-time.Second, 0, here, problem.Replayed}}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w := newWorld(t, db, tt.policy)
				a := w.newAccount()
				first := w.activate(a)
				chain := &chain{world: w, tokens: []secret.Text{first.RefreshToken}, access: []secret.Text{first.AccessToken}}
				for i, s := range tt.steps {
					chain.take(fmt.Sprintf("step %d: token %d", i, s.show), s)
				}
				chain.check(a, tt.steps[len(tt.steps)-1].want == problem.Replayed)
			})
		}
	})
}

func again(n int) (steps []step) {
	for range n {
		steps = append(steps, step{0, 0, here, ""})
	}
	return steps
}

// chain is a family as its client sees it: one token of each generation.
type chain struct {
	*world
	tokens []secret.Text
	access []secret.Text
}

func (c *chain) take(name string, s step) {
	c.t.Helper()
	c.clock.add(s.after)
	got, err := c.refresh(s.from, c.tokens[s.show])
	if s.want != "" || err != nil {
		if wantProblem(c.t, err, s.want); err == nil || s.want == "" {
			c.t.Fatalf("%s from %s: %v", name, s.from, err)
		}
		return
	}
	if !isRefreshToken(got.RefreshToken) {
		c.t.Fatalf("%s: the successor is not 32 letters and digits", name)
	}
	for g, known := range c.tokens {
		if (known == got.RefreshToken) != (g == s.show+1) {
			c.t.Fatalf("%s gave token %d, want %d", name, g, s.show+1)
		}
	}
	if s.show+1 == len(c.tokens) {
		c.tokens = append(c.tokens, got.RefreshToken)
	}
	c.access = append(c.access, got.AccessToken)
}

// check is what must be true after the last step.
func (c *chain) check(a oauth.ServiceAccount, replayed bool) {
	c.t.Helper()
	if replayed {
		c.wantStatus(a, oauth.Created)
		for g, token := range c.tokens {
			if _, err := c.refresh(here, token); !problem.Has(err, problem.InvalidGrant) {
				c.t.Errorf("token %d of a revoked family: %v", g, err)
			}
		}
	} else {
		c.wantStatus(a, oauth.Active)
	}
	if last := c.access[len(c.access)-1]; !replayed {
		c.wantAlive(last, true)
	} else {
		for _, token := range c.access {
			c.wantAlive(token, false)
		}
	}
	if n := len(c.recorded(journal.FamilyReplayed)); n != 0 && !replayed || n != 1 && replayed {
		c.t.Errorf("%d replays are in the journal", n)
	}
}

// Clients call the API before they save the new token: that closes no window.
func TestRotation_VCD18_UseOfTheAccessTokenClosesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		first := w.activate(w.newAccount())
		second := w.mustRefresh(first.RefreshToken)
		w.wantAlive(second.AccessToken, true)
		if again := w.mustRefresh(first.RefreshToken); again.RefreshToken != second.RefreshToken {
			t.Error("the retry gave another successor")
		}
	})
}

// The successor is not a matter of memory: another cell, or this one after a
// crash, gives the same.
func TestRotation_R3_AnotherCellGivesTheSameSuccessor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		first := w.activate(w.newAccount())
		second := w.mustRefresh(first.RefreshToken)
		w.service = w.newService(db.OAuth())
		if again := w.mustRefresh(first.RefreshToken); again.RefreshToken != second.RefreshToken {
			t.Error("the other cell gave another successor")
		}
	})
}

// Whoever reads of a replay must learn who showed what from where, and be able
// to tell the app from the thief.
func TestReplay_R3_VCD18_JournalNamesBothParties(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		first := w.activate(a)
		shownAt := w.clock.now()
		second := w.mustRefresh(first.RefreshToken)
		w.mustRefresh(second.RefreshToken)
		w.clock.add(time.Hour)
		_, err := w.refresh(there, first.RefreshToken)
		wantProblem(t, err, problem.Replayed)

		rows := w.recorded(journal.FamilyReplayed)
		if len(rows) != 1 {
			t.Fatalf("%d rows, want 1", len(rows))
		}
		row := rows[0]
		if row.Subject != (journal.Subject{Kind: journal.KindAccount, ID: string(a.ID), Name: a.Name}) || !row.At.Equal(w.clock.now()) {
			t.Errorf("the row speaks of %+v at %v", row.Subject, row.At)
		}
		for name, want := range map[string]string{
			"firstShownFrom": here, "firstShownAt": shownAt.Format(time.RFC3339), "replayedFrom": there, "replayUserAgent": "app at " + there,
			"generation": "0", "liveGeneration": "2",
		} {
			if got := row.Detail[name]; got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if row.Source != there || row.RequestID != from(there).RequestID {
			t.Errorf("the row comes from %q in %q", row.Source, row.RequestID)
		}
	})
}

// Many replays of one family are one alarm.
func TestReplay_R3_OneAlarmUnderRaces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		first := w.activate(w.newAccount())
		second := w.mustRefresh(first.RefreshToken)
		w.mustRefresh(second.RefreshToken)
		together(16, func(int) {
			_, err := w.refresh(there, first.RefreshToken)
			if !problem.Has(err, problem.Replayed) && !problem.Has(err, problem.InvalidGrant) {
				t.Errorf("got %v", err)
			}
		})
		if n := len(w.recorded(journal.FamilyReplayed)); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

// A token of a family that ended long ago says nothing about the family of today.
func TestReplay_R3_SparesANewerFamily(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, end := range map[string]func(w *world, a oauth.ServiceAccount, old []secret.Text){
			"replaced": func(*world, oauth.ServiceAccount, []secret.Text) {},
			"revoked": func(w *world, a oauth.ServiceAccount, _ []secret.Text) {
				w.must(w.service.Revoke(w.ctx(), w.admin, w.org, a.ID))
			},
			"replayed": func(w *world, _ oauth.ServiceAccount, old []secret.Text) {
				_, err := w.refresh(there, old[0])
				wantProblem(w.t, err, problem.Replayed)
			},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				a := w.newAccount()
				old := []secret.Text{w.activate(a).RefreshToken}
				for g := range 2 {
					old = append(old, w.mustRefresh(old[g]).RefreshToken)
				}
				end(w, a, old)
				alarms := len(w.recorded(journal.FamilyReplayed))
				fresh := w.activate(a)
				for _, token := range old {
					_, err := w.refresh(there, token)
					wantProblem(t, err, problem.InvalidGrant)
				}
				w.wantAlive(fresh.AccessToken, true)
				w.mustRefresh(fresh.RefreshToken)
				if n := len(w.recorded(journal.FamilyReplayed)); n != alarms {
					t.Errorf("%d more alarms", n-alarms)
				}
			})
		}
	})
}

// What never rotates never alarms either, and leaves no trace in any row.
func TestRefresh_R3_R6_RefusalsChangeNothing(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		n := w.neighbour()
		a := w.newAccount()
		other := w.newAccount()
		spent := w.activate(a).RefreshToken
		current := w.mustRefresh(spent).RefreshToken
		for name, try := range map[string]struct {
			org    *tenants.Snapshot
			client oauth.ClientID
			token  secret.Text
		}{
			"another organization":                     {n.snapshot(), "", current},
			"another organization, a spent token":      {n.snapshot(), "", spent},
			"another organization, right client":       {n.snapshot(), a.ID, current},
			"another client":                           {w.snapshot(), other.ID, current},
			"another client, a spent token":            {w.snapshot(), other.ID, spent},
			"an unknown client":                        {w.snapshot(), oauth.ClientID(tenants.NewID()), current},
			"an organization that is off":              {w.disabled(), "", current},
			"an organization that is off, spent":       {w.disabled(), "", spent},
			"an invented token":                        {w.snapshot(), "", secret.Text(secret.Base62(32))},
			"no token":                                 {w.snapshot(), "", ""},
			"a token with something before it":         {w.snapshot(), "", " " + current},
			"a token with something after it":          {w.snapshot(), "", current + "\x00"},
			"a token in other case (or all in digits)": {w.snapshot(), "", swapCase(current)},
		} {
			t.Run(name, func(t *testing.T) {
				r := r.in(t)
				before := r.all()
				_, err := w.service.Refresh(w.ctx(), from(there), try.org, try.client, try.token)
				wantProblem(t, err, problem.InvalidGrant)
				if after := r.all(); after != before {
					t.Errorf("it changed the rows to\n%s\nfrom\n%s", after, before)
				}
			})
		}
		// Who came to the wrong door is told so: people do that all the time.
		_, err := n.refresh(here, current)
		if p := problem.From(err); !strings.Contains(p.Detail, "not issued for this organization") {
			t.Errorf("the client is told %q", p.Detail)
		}
		// The client that tried elsewhere first finds its token as it was.
		got, err := w.service.Refresh(w.ctx(), from(here), w.snapshot(), a.ID, current)
		w.must(err)
		w.mustRefresh(got.RefreshToken)
	})
}

func swapCase(token secret.Text) secret.Text {
	b := []byte(token.Reveal())
	for i, c := range b {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			b[i] = c ^ 0x20
		} else {
			b[i] = '0' + (c-'0'+1)%10
		}
	}
	return secret.Text(b)
}

func TestRefresh_VCD19_NeverExpiresUnused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		tokens := w.activate(a)
		w.clock.add(10 * 365 * day)
		w.wantStatus(a, oauth.Active)
		w.wantAlive(tokens.AccessToken, false)
		fresh := w.mustRefresh(tokens.RefreshToken)
		w.wantAlive(fresh.AccessToken, true)

		w.clock.add(10 * 365 * day)
		w.must(w.service.Revoke(w.ctx(), w.admin, w.org, a.ID))
		_, err := w.refresh(here, fresh.RefreshToken)
		wantProblem(t, err, problem.InvalidGrant)
	})
}

// TestRefresh_VCD7: each refresh opens a session of its own; the ones before
// live on until they end by themselves.
func TestRefresh_VCD7_OpensASession(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		first := w.activate(w.newAccount())
		second := w.mustRefresh(first.RefreshToken)
		if first.Session.ID == second.Session.ID || first.AccessToken == second.AccessToken {
			t.Error("the refresh gave the session that there was")
		}
		if second.ExpiresIn != 30*day {
			t.Errorf("the access token lives for %v", second.ExpiresIn)
		}
		w.wantAlive(first.AccessToken, true)
		w.wantAlive(second.AccessToken, true)
	})
}

// Neither database nor logs of the journal hold what would let a reader act.
func TestSecrets_VCD12_VCD14_R12_NothingInClear(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		d := w.startDevice(w.newAccount())
		d.decide(granted)
		first, err := d.poll(0)
		w.must(err)
		second := w.mustRefresh(first.RefreshToken)
		third := w.mustRefresh(second.RefreshToken)
		_, err = w.refresh(there, first.RefreshToken)
		wantProblem(t, err, problem.Replayed)
		all := r.all() + fmt.Sprintf("%+v %+v", first, w.journal())
		for name, s := range map[string]string{
			"device code": d.DeviceCode, "user code": d.UserCode, "user code without the dash": d.UserCode[:4] + d.UserCode[5:],
			"first refresh token": first.RefreshToken.Reveal(), "second refresh token": second.RefreshToken.Reveal(),
			"third refresh token": third.RefreshToken.Reveal(), "access token": first.AccessToken.Reveal(),
		} {
			if contains(all, s) {
				t.Errorf("the %s lies in clear", name)
			}
		}
	})
}
