package oauth_test

import (
	"context"
	"sync/atomic"
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

// viewing is a store that a test can make fail, or hang, when it is read.
type viewing struct {
	oauth.Store
	fail  atomic.Pointer[func() error] // nil: the database answers
	views atomic.Int64
}

func (s *viewing) View(ctx context.Context, f func(oauth.Reader) error) error {
	s.views.Add(1)
	if fail := s.fail.Load(); fail != nil {
		return (*fail)()
	}
	return s.Store.View(ctx, f)
}

// unknownKey is a token under a key id that looks like one of this site's.
func (f *forger) unknownKey() secret.Text {
	f.t.Helper()
	return secret.Text(f.stolen(func(h, _ map[string]any) { with(h, "kid", string(site)+"."+secret.Base62(16)) }))
}

// Who waits for a database that does not answer leaves when their own time is up,
// and not one after the other.
func TestKeys_R13_NobodyQueuesForAReadThatHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	token := newForger(w).unknownKey()
	s := &viewing{Store: w.db.OAuth()}
	w.service = w.newService(s)
	cell := w.cell()
	reading, answer := make(chan struct{}), make(chan struct{})
	hang := func() error {
		close(reading) // of a second reader: panics
		<-answer
		return problem.New(problem.Unavailable, "The database cannot be reached now.")
	}
	s.fail.Store(&hang)
	cell.Apply(journal.Row{Entry: journal.Entry{Subject: journal.Subject{Kind: journal.KindKey, ID: "another"}}})

	first := make(chan error, 1)
	revoke := func(ctx context.Context) error {
		_, err := w.service.RevokeToken(ctx, from(there), w.org, "", token)
		return err
	}
	go func() { first <- revoke(w.ctx()) }()
	<-reading
	gaveUp, cancel := context.WithCancel(w.ctx())
	cancel()
	others := make(chan struct{})
	go func() {
		defer close(others)
		together(20, func(int) { wantProblem(t, revoke(gaveUp), problem.Unavailable) })
		together(20, func(int) {
			_, err := w.service.PublicKeys(gaveUp)
			wantProblem(t, err, problem.Unavailable)
		})
	}()
	select {
	case <-others:
	case <-time.After(20 * time.Second):
		t.Error("they wait for somebody else's read")
	}
	close(answer)
	wantProblem(t, <-first, problem.Unavailable)
	<-others
}

// A look for an unknown key that fails counts as one: strangers cannot have a
// database that is down asked as often as they like. What is known stays known.
func TestKeys_R13_AFailedLookCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	f := newForger(w)
	s := &viewing{Store: w.db.OAuth()}
	w.service = w.newService(s)
	down := func() error { return problem.New(problem.Unavailable, "The database cannot be reached now.") }
	s.fail.Store(&down)
	before := s.views.Load()
	for range 20 {
		_, err := w.service.RevokeToken(w.ctx(), from(there), w.org, "", f.unknownKey())
		wantProblem(t, err, problem.Unavailable)
	}
	if n := s.views.Load() - before; n != 1 {
		t.Errorf("twenty invented tokens made %d reads", n)
	}
	if keys, err := w.service.PublicKeys(w.ctx()); err != nil || len(keys) != 1 {
		t.Errorf("the keys are %v, %v", keys, err)
	}
}

// A cell that has just looked for an invented key cannot say that a token of a key
// made since is false: it says so, and neither refuses nor "revokes" it.
func TestKeys_R4_R5_AKeyThatIsAMomentOldIsNotUnknown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, rotating)
		f := newForger(w)
		b := w.newService(db.OAuth()) // follows no journal
		cell, err := b.NewAuthenticator(site, 10, func() bool { return true })
		w.must(err)
		invented := f.unknownKey()
		_, err = cell.Authenticate(w.ctx(), invented.Reveal())
		wantProblem(t, err, problem.Unauthenticated)

		w.clock.add(100 * time.Millisecond)
		_, err = w.service.RotateKey(w.ctx(), w.admin, oauth.KeyRotation{Purpose: oauth.PurposeAccessToken, AtOnce: true})
		w.must(err)
		token := w.login().AccessToken
		_, err = cell.Authenticate(w.ctx(), token.Reveal())
		wantProblem(t, err, problem.Unavailable)
		if p := problem.From(err); p.RetryAfter != time.Second {
			t.Errorf("it is to come again after %v", p.RetryAfter)
		}
		_, _, err = cell.Introspect(w.ctx(), w.org, token)
		wantProblem(t, err, problem.Unavailable)
		_, err = b.RevokeToken(w.ctx(), from(here), w.org, "", token)
		wantProblem(t, err, problem.Unavailable)
		_, err = cell.Authenticate(w.ctx(), invented.Reveal()) // this one is settled
		wantProblem(t, err, problem.Unauthenticated)

		w.clock.add(time.Second)
		_, err = cell.Authenticate(w.ctx(), token.Reveal())
		wantProblem(t, err, "")
		revoked, err := b.RevokeToken(w.ctx(), from(here), w.org, "", token)
		if err != nil || !revoked {
			t.Errorf("revoked %v, %v", revoked, err)
		}
		w.wantAlive(token, false)
	})
}

// After an emergency clients need a 401 to fetch new tokens, and strangers must not
// be able to keep it from them.
func TestKeys_R5_ARetiredKeyNeedsNoSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t), rotating)
	f := newForger(w)
	token := w.login().AccessToken
	_, err := w.service.RetireKey(w.ctx(), w.admin, kidOf(w, token))
	w.must(err)
	cell := w.cell()
	for range 2 {
		_, _ = cell.Authenticate(w.ctx(), f.unknownKey().Reveal())
	}
	_, err = cell.Authenticate(w.ctx(), token.Reveal())
	wantProblem(t, err, problem.Unauthenticated)
}

// What the journal says of a key counts at once, whatever strangers did before.
func TestKeys_R5_TheJournalNeedsNoPatience(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t), rotating)
	f := newForger(w)
	other := w.run()
	wantProblem(t, other.use(w.ctx(), f.unknownKey()), problem.Unauthenticated)
	_, err := w.service.RotateKey(w.ctx(), w.admin, oauth.KeyRotation{Purpose: oauth.PurposeAccessToken, AtOnce: true})
	w.must(err)
	token := w.login().AccessToken
	w.caughtUp(other)
	wantProblem(t, other.use(w.ctx(), token), "")
}

// Who kept the token of a session that has ended cannot have the database asked
// again and again until the token expires.
func TestAuthenticate_R13_AnEndedSessionIsRemembered(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, raw rows) {
		for name, end := range map[string]func(*world, oauth.Tokens){
			"logged out": func(w *world, tokens oauth.Tokens) {
				w.must(w.service.EndSession(w.ctx(), w.as(tokens.AccessToken)))
			},
			"purged": func(_ *world, tokens oauth.Tokens) {
				raw.exec("DELETE FROM sessions WHERE id = '" + string(tokens.Session.ID) + "'")
			},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				tokens := w.login()
				end(w, tokens)
				cell := w.cell()
				refused := func(times int) int64 {
					before := db.Statements()
					for range times {
						_, err := cell.Authenticate(w.ctx(), tokens.AccessToken.Reveal())
						wantProblem(t, err, problem.Unauthenticated)
					}
					return db.Statements() - before
				}
				once := refused(1)
				if n := refused(100); once == 0 || n != 0 {
					t.Errorf("the first look cost %d statements and a hundred more cost %d", once, n)
				}
				cell.Flush() // a database that was restored may have the session again
				if n := refused(1); n < once {
					t.Errorf("a look of a cell that forgot everything cost %d statements", n)
				}
			})
		}
	})
}

// An idle session is not over for ever: another cell may tell the database later
// that it was in use.
func TestAuthenticate_R4_AnIdleSessionIsAskedForAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		tokens := w.login()
		cell := w.cell()
		w.clock.add(w.policy.IdleTimeout)
		_, err := cell.Authenticate(w.ctx(), tokens.AccessToken.Reveal())
		wantProblem(t, err, problem.Unauthenticated)
		w.must(db.OAuth().Touch(w.ctx(), map[tenants.SessionID]time.Time{tokens.Session.ID: w.clock.now().Add(-time.Minute)}))
		_, err = cell.Authenticate(w.ctx(), tokens.AccessToken.Reveal())
		wantProblem(t, err, "")
	})
}
