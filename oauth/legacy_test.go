package oauth_test

import (
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
)

func (w *world) loginLegacy() oauth.Tokens {
	w.t.Helper()
	tokens, err := w.service.OpenLegacySession(w.ctx(), from(office), w.snapshot(), w.user)
	w.must(err)
	if !secret.IsLegacyToken(tokens.LegacyToken.Reveal()) {
		w.t.Fatal("the opaque token is not 32 hexadecimal digits")
	}
	return tokens
}

// The opaque token opens the session that the access token opens, and is
// remembered like it.
func TestLegacyToken_OpensItsSession(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		other, tokens, cell := w.loginLegacy(), w.loginLegacy(), w.cell()
		if other.LegacyToken == tokens.LegacyToken {
			t.Fatal("two sessions have one token")
		}
		by, err := cell.Authenticate(w.ctx(), tokens.LegacyToken.Reveal())
		w.must(err)
		if want := w.as(tokens.AccessToken).Principal; by != want {
			t.Errorf("the opaque token is of %+v, the access token of %+v", by, want)
		}
		before := db.Statements()
		_, err = cell.Authenticate(w.ctx(), tokens.LegacyToken.Reveal())
		w.must(err)
		if n := db.Statements() - before; n != 0 {
			t.Errorf("a known token cost %d statements", n)
		}
		if plain := w.login(); plain.LegacyToken != "" {
			t.Error("a login of today gives out an opaque token")
		}
		w.login() // two sessions without one do not get in each other's way
	})
}

func TestLegacyToken_EndsWithItsSession_R4(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, end := range map[string]func(*world, oauth.Tokens){
			"logged out":  func(w *world, tokens oauth.Tokens) { w.must(w.service.EndSession(w.ctx(), w.as(tokens.LegacyToken))) },
			"idle":        func(w *world, _ oauth.Tokens) { w.clock.add(30 * time.Minute) },
			"at its time": func(w *world, _ oauth.Tokens) { w.clock.add(24 * time.Hour) },
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				tokens, knows := w.loginLegacy(), w.own(w.run())
				w.must(knows.use(w.ctx(), tokens.LegacyToken))
				end(w, tokens)
				wantProblem(t, knows.use(w.ctx(), tokens.LegacyToken), problem.Unauthenticated)
				w.wantAlive(tokens.LegacyToken, false)
				w.wantAlive(tokens.AccessToken, false)
			})
		}
	})
}

func TestLegacyToken_R5_Invented(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		tokens := w.loginLegacy()
		w.login() // which has none
		wrong := []byte(tokens.LegacyToken)
		wrong[0] ^= 1 // still a digit
		for _, token := range []secret.Text{secret.Text(wrong), "00000000000000000000000000000000", secret.Text(secret.LegacyToken())} {
			_, err := w.cell().Authenticate(w.ctx(), token.Reveal())
			wantProblem(t, err, problem.Unauthenticated)
		}
		err := db.OAuth().View(w.ctx(), func(r oauth.Reader) error {
			_, err := r.SessionByLegacy(nil)
			return err
		})
		wantProblem(t, err, problem.NotFound)
	})
}
