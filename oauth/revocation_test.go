package oauth_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/oauth"
	"causeway/tenants"
)

// end revokes a token by itself, as its holder would.
func (w *world) end(token secret.Text) (bool, error) {
	w.t.Helper()
	return w.service.RevokeToken(w.ctx(), from(here), w.org, "", token)
}

func (w *world) mustEnd(token secret.Text) {
	w.t.Helper()
	revoked, err := w.end(token)
	w.must(err)
	if !revoked {
		w.t.Error("there was nothing to revoke")
	}
}

// wantDead checks that neither token of a pair is worth anything.
func (w *world) wantDead(tokens oauth.Tokens) {
	w.t.Helper()
	w.wantAlive(tokens.AccessToken, false)
	_, err := w.refresh(here, tokens.RefreshToken)
	wantProblem(w.t, err, problem.InvalidGrant)
}

// A service account's refresh token, whichever of the live family, ends what an
// administrator's revocation ends, and nobody else's.
func TestRevokeToken_VCD90_VCD91_R4_RefreshToken(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		for shown, name := range []string{"the first of three", "the one before", "the current one"} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				cell := w.own(w.run())
				a, bystander := w.newAccount(), w.activate(w.newAccount())
				family := []oauth.Tokens{w.activate(a)}
				for range 2 {
					family = append(family, w.mustRefresh(family[len(family)-1].RefreshToken))
				}
				w.must(cell.use(w.ctx(), family[0].AccessToken))
				waiting := w.startDevice(a)
				waiting.decide(granted)

				w.mustEnd(family[shown].RefreshToken)
				wantProblem(t, cell.use(w.ctx(), family[0].AccessToken), problem.Unauthenticated)
				r.in(t).wantNothingLive(a)
				for _, tokens := range family {
					w.wantDead(tokens)
				}
				w.wantStatus(a, oauth.Created) // VCD-92
				_, err := waiting.poll(time.Minute)
				wantProblem(t, err, problem.InvalidGrant) // VCD-94
				w.wantAlive(bystander.AccessToken, true)
				w.mustRefresh(bystander.RefreshToken)

				if shown == 0 { // a copy, see TestRevokeToken_R3
					return
				}
				entries := w.recorded(journal.AccountRevoked)
				if len(entries) != 1 || entries[0].Detail["by"] != "token" || entries[0].Detail["generation"] != strconv.Itoa(shown) || entries[0].Actor != (journal.Actor{Kind: "serviceAccount", ID: string(a.ID), Name: a.Name, Org: string(w.org)}) ||
					entries[0].Subject.ID != string(a.ID) || entries[0].Source != here {
					t.Errorf("recorded as %+v", entries)
				}
				if again, err := w.end(family[shown].RefreshToken); again || err != nil {
					t.Errorf("revoked twice: %v, %v", again, err)
				}
			})
		}
		t.Run("VCD-93 the app has asked again", func(t *testing.T) {
			w := newWorld(t, db)
			a := w.newAccount()
			tokens := w.activate(a)
			d := w.startDevice(a)
			w.mustEnd(tokens.RefreshToken)
			w.wantStatus(a, oauth.Requested)
			d.decide(granted)
			_, err := d.poll(time.Minute)
			w.must(err)
		})
	})
}

// Who shows a token that can only be a copy ends the family, as at a refresh, and
// raises the same alarm: the app did not wish for it.
func TestRevokeToken_R3_ACopyRaisesTheAlarm(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		for name, tt := range map[string]struct {
			refreshes int // after the first token, which is the one shown
			wait      time.Duration
			source    string
			copied    bool
		}{
			"the current one, from anywhere":         {0, time.Hour, there, false},
			"the one before, of an answer just lost": {1, time.Second, there, false},
			"the one before, by its own app":         {1, time.Hour, here, false},
			"the one before, from elsewhere":         {1, time.Hour, there, true},
			"the one before, too late":               {1, 25 * time.Hour, here, true},
			"an older one, at once":                  {2, 0, here, true},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				a := w.newAccount()
				first := w.activate(a)
				last := first
				for range tt.refreshes {
					last = w.mustRefresh(last.RefreshToken)
				}
				w.clock.add(tt.wait)
				revoked, err := w.service.RevokeToken(w.ctx(), from(tt.source), w.org, "", first.RefreshToken)
				if !revoked || err != nil {
					t.Fatalf("revoked: %v, %v", revoked, err)
				}
				w.wantDead(last)
				r.in(t).wantNothingLive(a)
				wished, alarms := w.recorded(journal.AccountRevoked), w.recorded(journal.FamilyReplayed)
				if want := !tt.copied; (len(wished) == 1) != want || (len(alarms) == 0) != want {
					t.Fatalf("recorded as a wish %+v and as a replay %+v", wished, alarms)
				}
				if !tt.copied {
					return
				}
				d := alarms[0].Detail
				if d["generation"] != "0" || d["liveGeneration"] != strconv.Itoa(tt.refreshes) || d["firstShownFrom"] != here ||
					d["replayedFrom"] != tt.source || alarms[0].Actor.ID == string(a.ID) {
					t.Errorf("the alarm is %+v", alarms[0])
				}
			})
		}
	})
}

// An access token ends its own session and nothing else, an opaque one too.
func TestRevokeToken_VCD86_AccessToken(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, _ rows) {
		for name, open := range map[string]func(*world) (shown secret.Text, tokens oauth.Tokens, kind string){
			"of an account": func(w *world) (secret.Text, oauth.Tokens, string) {
				tokens := w.activate(w.newAccount())
				return tokens.AccessToken, tokens, "serviceAccount"
			},
			"of an API token": func(w *world) (secret.Text, oauth.Tokens, string) {
				_, tokens := w.apiToken()
				return tokens.AccessToken, tokens, "apiToken"
			},
			"of a person": func(w *world) (secret.Text, oauth.Tokens, string) {
				tokens := w.login()
				return tokens.AccessToken, tokens, "user"
			},
			"of a person, opaque": func(w *world) (secret.Text, oauth.Tokens, string) {
				tokens := w.loginLegacy()
				return tokens.LegacyToken, tokens, "user"
			},
			"of a person, idle": func(w *world) (secret.Text, oauth.Tokens, string) {
				tokens := w.login()
				w.clock.add(w.policy.IdleTimeout) // another cell may know better, and would go on
				return tokens.AccessToken, tokens, "user"
			},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				shown, tokens, kind := open(w)
				other := w.login()
				w.mustEnd(shown)
				w.wantAlive(tokens.AccessToken, false)
				w.wantAlive(other.AccessToken, true)
				if tokens.RefreshToken != "" {
					_, err := w.refresh(here, tokens.RefreshToken)
					w.must(err)
				}
				entries := w.recorded(journal.SessionEnded)
				if len(entries) != 1 || entries[0].Actor.Kind != kind || entries[0].Actor.ID == "" || entries[0].Subject.ID != string(tokens.Session.ID) {
					t.Errorf("recorded as %+v", entries)
				}
			})
		}
	})
}

func TestRevokeToken_R4_APIToken(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		token, tokens := w.apiToken()
		more, err := w.refresh(here, tokens.RefreshToken)
		w.must(err)
		w.mustEnd(tokens.RefreshToken)
		w.wantDead(tokens)
		w.wantAlive(more.AccessToken, false)
		_, err = w.service.Token(w.ctx(), w.org, w.mine(), token.ID)
		wantProblem(t, err, problem.NotFound)
		entries := w.recorded(journal.APITokenDeleted)
		if len(entries) != 1 || entries[0].Actor != (journal.Actor{Kind: "apiToken", ID: string(w.user.ID), Name: w.user.Name, Org: string(w.org)}) ||
			entries[0].Subject.ID != string(token.ID) {
			t.Errorf("recorded as %+v", entries)
		}
	})
}

// What has nothing to end changes nothing, and says so without an error.
func TestRevokeToken_R1_Nothing(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		f := newForger(w)
		a := w.newAccount()
		before, legacy := w.activate(a), w.loginLegacy()
		expired := w.login()
		w.clock.add(25 * time.Hour)
		live := w.activate(a) // another family: the first one's tokens are over
		ended := w.login()
		w.must(w.service.EndSession(w.ctx(), w.as(ended.AccessToken)))
		rows := r.all()
		for name, token := range map[string]secret.Text{
			"a refresh token that nobody was given": "00000000000000000000000000000000",
			"an opaque token that nobody was given": secret.Text(secret.LegacyToken()),
			"no token at all":                       "x",
			"dots":                                  "..",
			"an ended session":                      ended.AccessToken,
			"an expired session":                    expired.AccessToken,
			"an expired session, opaque":            legacy.LegacyToken,
			"a forged access token":                 secret.Text(f.stolen(func(h, c map[string]any) {})),
			"a former family's refresh token":       before.RefreshToken,
			"a former family's access token":        before.AccessToken,
		} {
			t.Run(name, func(t *testing.T) {
				if revoked, err := w.end(token); revoked || err != nil {
					t.Errorf("revoked: %v, %v", revoked, err)
				}
				if r.in(t).all() != rows {
					t.Error("something changed")
				}
			})
		}
		w.wantAlive(live.AccessToken, true)
		w.mustRefresh(live.RefreshToken)
	})
}

// A success would tell the holder of a token that it is dead: where it was not
// issued, and for a client that it was not issued to, there is none.
func TestRevokeToken_R1_R6_ElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		n := w.neighbour()
		a := w.newAccount()
		tokens, legacy := w.activate(a), w.loginLegacy()
		apiToken, ofUser := w.apiToken()
		rows := r.all()
		for name, shown := range map[string]struct {
			token secret.Text
			of    oauth.ClientID
		}{
			"a refresh token":          {tokens.RefreshToken, a.ID},
			"an access token":          {tokens.AccessToken, a.ID},
			"an API token":             {ofUser.RefreshToken, apiToken.ID},
			"an API token's session":   {ofUser.AccessToken, apiToken.ID},
			"a person's session":       {legacy.AccessToken, ""},
			"a person's, opaque token": {legacy.LegacyToken, ""},
		} {
			t.Run(name, func(t *testing.T) {
				for where, org := range map[string]tenants.OrgID{"another organization": n.org, "none": ""} {
					_, err := w.service.RevokeToken(w.ctx(), from(here), org, shown.of, shown.token)
					wantProblem(t, err, problem.InvalidGrant)
					if r.in(t).all() != rows {
						t.Errorf("at %s something changed", where)
					}
				}
				_, err := w.service.RevokeToken(w.ctx(), from(here), w.org, oauth.ClientID(tenants.NewID()), shown.token)
				wantProblem(t, err, problem.InvalidGrant)
				if r.in(t).all() != rows {
					t.Error("for another client something changed")
				}
			})
		}
		for _, own := range []struct {
			client oauth.ClientID
			token  secret.Text
		}{{a.ID, tokens.AccessToken}, {a.ID, tokens.RefreshToken}, {apiToken.ID, ofUser.AccessToken}, {apiToken.ID, ofUser.RefreshToken}} {
			revoked, err := w.service.RevokeToken(w.ctx(), from(here), w.org, own.client, own.token)
			if !revoked || err != nil {
				t.Errorf("its own client revokes it: %v, %v", revoked, err)
			}
		}
	})
}

// Tokens of a disabled organization work again when it is enabled, unless somebody
// has revoked them.
func TestRevokeToken_R4_DisabledOrganization(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		a := w.newAccount()
		tokens := w.activate(a)
		r.exec("UPDATE organizations SET enabled = FALSE WHERE id = '" + string(w.org) + "'")
		w.orgs.Flush()
		w.mustEnd(tokens.RefreshToken)
		r.exec("UPDATE organizations SET enabled = TRUE WHERE id = '" + string(w.org) + "'")
		w.orgs.Flush()
		w.wantDead(tokens)
	})
}

// A database that does not answer has revoked nothing, and must not seem to have.
func TestRevokeToken_R4_R13_ALostDatabaseIsNoSuccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	tokens, ofUser := w.activate(w.newAccount()), w.loginLegacy()
	away := &losing{Store: w.db.OAuth()}
	service := w.newServiceWith(func(c *oauth.Config) { c.Store = away })
	for name, lose := range map[string]func(){
		"reading": func() { away.reads, away.writes = true, false }, "writing": func() { away.reads, away.writes = false, true },
	} {
		lose()
		for _, token := range []secret.Text{tokens.RefreshToken, tokens.AccessToken, ofUser.LegacyToken} {
			revoked, err := service.RevokeToken(w.ctx(), from(here), w.org, "", token)
			if wantProblem(t, err, problem.Unavailable); revoked {
				t.Errorf("%s: reported as revoked", name)
			}
		}
	}
	w.wantAlive(tokens.AccessToken, true)
}

// losing is a database that stops to answer.
type losing struct {
	oauth.Store
	reads, writes bool
}

func (l *losing) View(ctx context.Context, f func(oauth.Reader) error) error {
	if l.reads {
		return problem.New(problem.Unavailable, "The database cannot be reached now.")
	}
	return l.Store.View(ctx, f)
}

func (l *losing) InTx(ctx context.Context, f func(oauth.Tx) error) error {
	if l.writes {
		return problem.New(problem.Unavailable, "The database cannot be reached now.")
	}
	return l.Store.InTx(ctx, f)
}

// Whoever is first, what a refresh got does not outlive the revocation that its
// family or API token met.
func TestRevokeToken_R4_RacingRefresh(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		org := w.snapshot()
		for name, open := range map[string]func() oauth.Tokens{
			"an account": func() oauth.Tokens { return w.activate(w.newAccount()) },
			"an API token": func() oauth.Tokens {
				_, tokens := w.apiToken()
				return tokens
			},
		} {
			first := 0
			for i := range rounds(6, 200) {
				spent := open()
				token := spent.RefreshToken
				if next := w.mustRefresh(token).RefreshToken; next != "" && i%2 == 0 {
					token = next // revoked by a token that is older than the one refreshed
				}
				var got atomic.Pointer[oauth.Tokens]
				together(2, func(who int) {
					if who == 0 {
						time.Sleep(time.Duration(i%3) * 300 * time.Microsecond)
						w.mustEnd(spent.RefreshToken)
						return
					}
					tokens, err := w.service.Refresh(w.ctx(), from(here), org, "", token)
					if err == nil {
						got.Store(&tokens)
					} else {
						wantProblem(t, err, problem.InvalidGrant)
					}
				})
				w.wantAlive(spent.AccessToken, false)
				if tokens := got.Load(); tokens != nil {
					first++
					w.wantAlive(tokens.AccessToken, false)
					if tokens.RefreshToken != "" {
						_, err := w.refresh(here, tokens.RefreshToken)
						wantProblem(t, err, problem.InvalidGrant)
					}
				}
			}
			t.Logf("of %s the refresh was first in %d rounds", name, first)
		}
		if n := r.conflicts.n.Load(); n != 0 {
			t.Errorf("%d transactions met in a deadlock: a revocation must not take a second for that", n)
		}
	})
}
