package oauth_test

import (
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// wantInfo introspects a live token of the world's organization.
func (w *world) wantInfo(a *oauth.Authenticator, token secret.Text) oauth.TokenInfo {
	w.t.Helper()
	info, active, err := a.Introspect(w.ctx(), w.org, token)
	w.must(err)
	if !active {
		w.t.Fatal("the token is inactive")
	}
	return info
}

func (w *world) wantInactive(a *oauth.Authenticator, token secret.Text) {
	w.t.Helper()
	info, active, err := a.Introspect(w.ctx(), w.org, token)
	if w.must(err); active || info != (oauth.TokenInfo{}) {
		w.t.Errorf("the token is active: %+v", info)
	}
}

func TestIntrospect_TellsWhatATokenStandsFor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		ofAccount, ofPerson := w.activate(a), w.loginLegacy()
		apiToken, ofToken := w.apiToken()
		for name, tt := range map[string]struct {
			token  secret.Text
			of     oauth.Tokens
			client string
		}{
			"an account's":       {ofAccount.AccessToken, ofAccount, string(a.ID)},
			"an API token's":     {ofToken.AccessToken, ofToken, string(apiToken.ID)},
			"a person's":         {ofPerson.AccessToken, ofPerson, "cloudapi"},
			"a person's, opaque": {ofPerson.LegacyToken, ofPerson, "cloudapi"},
		} {
			t.Run(name, func(t *testing.T) {
				got := w.wantInfo(w.cell(), tt.token)
				want := oauth.TokenInfo{
					Principal: w.as(tt.token).Principal, Client: tt.client,
					Issuer: issuer + "/oauth/tenant/Org%20" + string(w.org), Audience: issuer,
					IssuedAt: tt.of.Session.CreatedAt, ExpiresAt: tt.of.Session.ExpiresAt,
				}
				if got != want {
					t.Errorf("got %+v\nwant %+v", got, want)
				}
			})
		}
	})
}

// Whatever is not a live access token of the organization is inactive, and that is
// all that is said.
func TestIntrospect_R5_R6_Inactive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		f, n := newForger(w), w.neighbour()
		cell := w.own(w.run())
		tokens, theirs := w.activate(w.newAccount()), n.activate(n.newAccount())
		ended, revoked := w.login(), w.newAccount()
		ofRevoked := w.activate(revoked)
		for _, token := range []secret.Text{ended.AccessToken, ofRevoked.AccessToken} { // the cell remembers them
			w.wantInfo(cell.Authenticator, token)
		}
		w.must(w.service.EndSession(w.ctx(), w.as(ended.AccessToken)))
		w.must(w.service.Revoke(w.ctx(), w.admin, w.org, revoked.ID))
		for name, token := range map[string]secret.Text{
			"a refresh token":             tokens.RefreshToken,
			"an ended session":            ended.AccessToken,
			"a revoked account":           ofRevoked.AccessToken,
			"another organization's":      theirs.AccessToken,
			"nothing":                     "",
			"garbage":                     "x.y.z",
			"an opaque one of nobody":     secret.Text(secret.LegacyToken()),
			"a forged one":                secret.Text(f.stolen(func(h, c map[string]any) {})),
			"for another audience":        secret.Text(f.signed(func(h, c map[string]any) { with(c, "aud", "https://west.example") })),
			"for another audience, first": secret.Text(f.signed(func(h, c map[string]any) { with(c, "aud", []string{}) })),
			"of another issuer":           secret.Text(f.signed(func(h, c map[string]any) { with(c, "iss", "https://west.example") })),
			"expired by its own word":     secret.Text(f.signed(func(h, c map[string]any) { with(c, "exp", f.unix(-time.Minute)) })),
		} {
			t.Run(name, func(t *testing.T) { w.wantInactive(cell.Authenticator, token) })
		}
		w.wantInfo(cell.Authenticator, tokens.AccessToken)
		w.clock.add(w.policy.IdleTimeout)
		w.wantInactive(cell.Authenticator, tokens.AccessToken)
		w.wantInactive(w.cell(), tokens.AccessToken)
	})
}

// To ask about a session is not to use it.
func TestIntrospect_VCD85_ExtendsNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, asks := range map[string]func(*world) (used, asked *oauth.Authenticator){
			"at the cell that serves":     func(w *world) (_, _ *oauth.Authenticator) { c := w.cell(); return c, c },
			"at one that has not seen it": func(w *world) (_, _ *oauth.Authenticator) { return w.cell(), w.cell() },
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				serves, asked := asks(w)
				token := w.activate(w.newAccount()).AccessToken
				_, err := serves.Authenticate(w.ctx(), token.Reveal())
				w.must(err)
				for range 2 {
					w.clock.add(w.policy.IdleTimeout/2 - time.Second)
					w.wantInfo(asked, token)
					w.must(asked.FlushUse(w.ctx()))
				}
				w.clock.add(2 * time.Second)
				w.wantInactive(asked, token)
				_, err = serves.Authenticate(w.ctx(), token.Reveal())
				wantProblem(t, err, problem.Unauthenticated)
				w.wantAlive(token, false)
			})
		}
	})
}

// Use at another cell counts as soon as the database knows of it.
func TestIntrospect_VCD85_AcrossCells(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		serves, asked := w.cell(), w.cell()
		token := w.activate(w.newAccount()).AccessToken
		for range 4 {
			w.wantInfo(asked, token)
			w.clock.add(w.policy.IdleTimeout - time.Minute)
			_, err := serves.Authenticate(w.ctx(), token.Reveal())
			w.must(err)
			w.must(serves.FlushUse(w.ctx()))
		}
		w.wantInfo(asked, token)
	})
}

// A token that the cell has seen is introspected without the database, whoever saw
// it first: a request or another introspection.
func TestIntrospect_KnownTokenCostsNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, see := range map[string]func(w *world, c *running, token secret.Text){
			"by a request":        func(w *world, c *running, token secret.Text) { w.must(c.use(w.ctx(), token)) },
			"by an introspection": func(w *world, c *running, token secret.Text) { w.wantInfo(c.Authenticator, token) },
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				cell, token := w.own(w.run()), w.activate(w.newAccount()).AccessToken
				see(w, cell, token)
				before := db.Statements()
				for range 10 {
					w.clock.add(time.Minute)
					w.wantInfo(cell.Authenticator, token)
				}
				if n := db.Statements() - before; n != 0 {
					t.Errorf("ten introspections of a known token cost %d statements", n)
				}
			})
		}
	})
}

// A cell that cannot know who was revoked says so, and calls no token inactive.
func TestIntrospect_R4_R13_StaleCellSaysNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	token := w.activate(w.newAccount()).AccessToken
	stale, err := w.service.NewAuthenticator(site, 10, func() bool { return false })
	w.must(err)
	_, active, err := stale.Introspect(w.ctx(), w.org, token)
	if wantProblem(t, err, problem.Unavailable); active {
		t.Error("the token is active")
	}
	orgs, err := tenants.NewDirectory(noOrgs{w.db.Tenants()}, 10)
	w.must(err)
	lost, err := w.newServiceOf(w.db.OAuth(), orgs).NewAuthenticator(site, 10, func() bool { return true })
	w.must(err)
	_, _, err = lost.Introspect(w.ctx(), w.org, token)
	wantProblem(t, err, problem.Unavailable)
}
