package oauth_test

import (
	"strings"
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

// loggedIn is a session of the world's user, and who then asks.
func (w *world) loggedIn() (oauth.Tokens, tenants.Caller) {
	w.t.Helper()
	tokens, err := w.service.OpenSession(w.ctx(), from(office), w.snapshot(), w.user)
	w.must(err)
	by := w.admin
	by.Principal, err = w.cell().Authenticate(w.ctx(), tokens.AccessToken.Reveal())
	w.must(err)
	return tokens, by
}

// apiToken is a token of the world's user that was fetched.
func (w *world) apiToken() (oauth.APIToken, oauth.Tokens) {
	w.t.Helper()
	login, by := w.loggedIn()
	t, err := w.service.RegisterToken(w.ctx(), by, w.snapshot(), "token "+tenants.NewID())
	w.must(err)
	tokens, err := w.fetch(t.ID, login.AccessToken)
	w.must(err)
	return t, tokens
}

func (w *world) fetch(id oauth.ClientID, assertion secret.Text) (oauth.Tokens, error) {
	return w.service.FetchToken(w.ctx(), from(office), w.snapshot(), id, assertion)
}

func (w *world) mine() oauth.Whose { return oauth.Whose{Owner: w.user.ID} }

// editUser changes the world's user as an administrator would.
func (w *world) editUser(change func(*tenants.User)) {
	w.t.Helper()
	w.inTenants(func(tx tenants.Tx) error {
		u, err := tx.User(w.org, w.user.ID, w.clock.now())
		if err != nil {
			return err
		}
		change(&u)
		if err := tx.UpdateUser(u); err != nil {
			return err
		}
		return tx.Record(w.entry(journal.UserUpdated, journal.Subject{Kind: journal.KindUser, ID: string(u.ID)}))
	})
}

func TestAPIToken_VCD59_VCD18_FetchedOnceAndNeverRotated(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		login, by := w.loggedIn()
		token, err := w.service.RegisterToken(w.ctx(), by, w.snapshot(), "ci")
		w.must(err)
		if token.Owner != w.user.ID || token.Org != w.org || !token.ExpiresAt.IsZero() {
			t.Errorf("registered %+v", token)
		}
		first, err := w.fetch(token.ID, login.AccessToken)
		w.must(err)
		if !isRefreshToken(first.RefreshToken) || first.ExpiresIn != 30*24*time.Hour {
			t.Errorf("%d characters, %v", len(first.RefreshToken), first.ExpiresIn)
		}
		before := r.of("api_tokens")
		for range 2 {
			_, err = w.fetch(token.ID, login.AccessToken)
			wantProblem(t, err, problem.InvalidGrant)
		}
		for range 3 { // the same token again and again, from anywhere, at any time
			w.clock.add(100 * 24 * time.Hour)
			again, err := w.refresh(there, first.RefreshToken)
			w.must(err)
			if again.RefreshToken != "" || again.ExpiresIn != 30*24*time.Hour {
				t.Errorf("a refresh gave %d characters, %v", len(again.RefreshToken), again.ExpiresIn)
			}
			w.wantAlive(again.AccessToken, true)
		}
		if after := r.of("api_tokens"); len(after) != 1 || after[0] != before[0] {
			t.Errorf("the token's row changed:\n%s\n%s", before, after)
		}
		all := r.all()
		for _, kept := range []secret.Text{first.RefreshToken, login.AccessToken, first.AccessToken} {
			if strings.Contains(all, kept.Reveal()) {
				t.Error("a token is stored in clear")
			}
		}
		if n := len(w.recorded(journal.APITokenCreated)); n != 1 {
			t.Errorf("%d rows say that it was created", n)
		}
	})
}

// A session of an API token is the user, with the limits of a machine.
func TestAPIToken_VCD9_R7_ActsForItsOwnerAsAMachine(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		token, tokens := w.apiToken()
		cell := w.cell()
		who, err := cell.Authenticate(w.ctx(), tokens.AccessToken.Reveal())
		w.must(err)
		want := tenants.Principal{
			Kind: tenants.KindAPIToken, ID: string(w.user.ID), Name: w.user.Name, Org: w.org, OrgName: w.snapshot().Name,
			Role: w.user.Role, RoleName: tenants.OrganizationAdministrator, Session: tokens.Session.ID,
			Home: tenants.LocationID{Org: w.org, Site: site},
		}
		if who != want {
			t.Errorf("the token's holder is %+v, want %+v", who, want)
		}
		machine := w.snapshot().RightsOf(w.user.Role, tenants.KindServiceAccount)
		if got := w.snapshot().RightsOf(who.Role, who.Kind); got != machine {
			t.Errorf("its rights are %q, a service account's %q", got.List(), machine.List())
		}
		if tokens.Session.Family != string(token.ID) {
			t.Errorf("the session is of %q", tokens.Session.Family)
		}
		// Another role of the user counts at once, and a disabled user is nobody.
		w.editUser(func(u *tenants.User) { u.Role = w.roles[viewer] })
		who, err = w.cell().Authenticate(w.ctx(), tokens.AccessToken.Reveal())
		w.must(err)
		if who.Role != w.roles[viewer] || who.RoleName != viewer {
			t.Errorf("after the user's role changed the token has %q", who.RoleName)
		}
	})
}

func TestAPIToken_VCD32_WhoMayNotCreateOne(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		n := w.neighbour()
		_, tokens := w.apiToken()
		byToken, bySA, via := w.admin, w.admin, w.admin
		var err error
		byToken.Principal, err = w.cell().Authenticate(w.ctx(), tokens.AccessToken.Reveal())
		w.must(err)
		bySA.Principal, err = w.cell().Authenticate(w.ctx(), w.activate(w.newAccount()).AccessToken.Reveal())
		w.must(err)
		via.Principal.Via = site
		provider := w.admin
		provider.Principal.Org = tenants.SystemOrgID
		before := r.all()
		for name, try := range map[string]struct {
			by   tenants.Caller
			org  *tenants.Snapshot
			name string
			want problem.Code
		}{
			"a service account":                     {bySA, w.snapshot(), "x", problem.Forbidden},
			"an API token":                          {byToken, w.snapshot(), "x", problem.Forbidden},
			"somebody of another site":              {via, w.snapshot(), "x", problem.Forbidden},
			"a provider for a tenant":               {provider, w.snapshot(), "x", problem.Forbidden},
			"an administrator of another tenant":    {w.admin, n.snapshot(), "x", problem.Forbidden},
			"nobody":                                {from(here), w.snapshot(), "x", problem.Forbidden},
			"no name":                               {w.admin, w.snapshot(), "", problem.BadRequest},
			"a name with a line break":              {w.admin, w.snapshot(), "a\nb", problem.BadRequest},
			"a name with a zero byte":               {w.admin, w.snapshot(), "a\x00b", problem.BadRequest},
			"a name that is not UTF-8":              {w.admin, w.snapshot(), "\xff", problem.BadRequest},
			"a name that is too long by a megabyte": {w.admin, w.snapshot(), string(make([]byte, 1<<20)), problem.BadRequest},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := w.service.RegisterToken(w.ctx(), try.by, try.org, try.name)
				wantProblem(t, err, try.want)
			})
		}
		if after := r.all(); after != before {
			t.Error("a refused registration changed something")
		}
	})
}

// Only the owner, after a login with a password, fetches a token.
func TestAPIToken_R1_R5_AssertionsThatProveNothing(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		n := w.neighbour()
		mine, by := w.loggedIn()
		token, err := w.service.RegisterToken(w.ctx(), by, w.snapshot(), "ci")
		w.must(err)
		_, apiTokens := w.apiToken()
		account := w.newAccount()
		theirs, _ := n.loggedIn()
		john := w.colleague("john")
		johns, err := w.service.OpenSession(w.ctx(), from(office), w.snapshot(), john)
		w.must(err)
		legacy, err := w.service.OpenLegacySession(w.ctx(), from(office), w.snapshot(), w.user)
		w.must(err)
		over, overBy := w.loggedIn()
		w.must(w.service.EndSession(w.ctx(), overBy))
		machine := w.activate(account)
		before := r.all()
		for name, try := range map[string]struct {
			id        oauth.ClientID
			assertion secret.Text
		}{
			"a colleague's":              {token.ID, johns.AccessToken},
			"another tenant's":           {token.ID, theirs.AccessToken},
			"a service account's":        {token.ID, machine.AccessToken},
			"another API token's":        {token.ID, apiTokens.AccessToken},
			"of a session that is over":  {token.ID, over.AccessToken},
			"an opaque token":            {token.ID, legacy.LegacyToken},
			"a refresh token":            {token.ID, machine.RefreshToken},
			"garbage":                    {token.ID, "a.b.c"},
			"nothing":                    {token.ID, ""},
			"for an invented client":     {oauth.ClientID(tenants.NewID()), mine.AccessToken},
			"for a service account":      {account.ID, mine.AccessToken},
			"for no client":              {"", mine.AccessToken},
			"a token that was cut short": {token.ID, mine.AccessToken[:len(mine.AccessToken)-2]},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := w.fetch(try.id, try.assertion)
				wantProblem(t, err, problem.InvalidGrant)
			})
		}
		_, err = w.service.FetchToken(w.ctx(), from(office), n.snapshot(), token.ID, mine.AccessToken)
		wantProblem(t, err, problem.InvalidGrant)
		if p := problem.As(err); p == nil || p.Detail != oauth.NoAssertion {
			t.Errorf("in another tenant's realm the refusal is %v", err)
		}
		_, err = w.service.FetchToken(w.ctx(), from(office), w.disabled(), token.ID, mine.AccessToken)
		wantProblem(t, err, problem.InvalidGrant)
		if after := r.all(); after != before {
			t.Error("a refused assertion changed something")
		}
		_, err = w.fetch(token.ID, mine.AccessToken)
		wantProblem(t, err, "")
	})
}

// colleague is another user of the organization with the same role.
func (w *world) colleague(name string) tenants.User {
	w.t.Helper()
	u := w.user
	u.ID, u.Name = tenants.UserID(tenants.NewID()), name
	w.inTenants(func(tx tenants.Tx) error { return tx.CreateUser(u) })
	return u
}

// The role is asked again when the token is fetched, the user and the assertion
// as well.
func TestAPIToken_VCD35_StateIsCheckedAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, between := range map[string]func(w *world){
			"the role lost the right": func(w *world) {
				w.setRights(tenants.OrganizationAdministrator, viewCatalogs)
				w.orgs.Flush()
			},
			"another role":        func(w *world) { w.editUser(func(u *tenants.User) { u.Role = w.roles[viewer] }) },
			"the user is off":     func(w *world) { w.editUser(func(u *tenants.User) { u.Enabled = false }) },
			"the login idled out": func(w *world) { w.clock.add(31 * time.Minute) },
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				login, by := w.loggedIn()
				token, err := w.service.RegisterToken(w.ctx(), by, w.snapshot(), "ci")
				w.must(err)
				between(w)
				_, err = w.fetch(token.ID, login.AccessToken)
				wantProblem(t, err, problem.InvalidGrant)
			})
		}
	})
}

func TestAPIToken_R1_OneOfManyFetchesGetsIt(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		for range rounds(4, 100) {
			login, by := w.loggedIn()
			token, err := w.service.RegisterToken(w.ctx(), by, w.snapshot(), tenants.NewID())
			w.must(err)
			org := w.snapshot()
			got := deliveries(t, 8, func(int) (oauth.Tokens, error) {
				return w.service.FetchToken(w.ctx(), from(office), org, token.ID, login.AccessToken)
			})
			if len(got) != 1 {
				t.Fatalf("%d of 8 got the token", len(got))
			}
			_, err = w.refresh(here, got[0].RefreshToken)
			w.must(err)
		}
		if n := r.conflicts.n.Load(); n != 0 {
			t.Errorf("%d transactions met in a deadlock", n)
		}
	})
}

// Whoever tries the wrong endpoint is told so, and the token stays good.
func TestAPIToken_R3_RefusedRefreshesLeaveItAlone(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		n := w.neighbour()
		token, tokens := w.apiToken()
		_, unknown := w.refresh(here, secret.Text(secret.Base62(32)))
		before := r.all()
		for name, try := range map[string]struct {
			org    *tenants.Snapshot
			client oauth.ClientID
			same   bool // in the words for a token that does not exist
		}{
			"another tenant's endpoint":     {n.snapshot(), "", false},
			"another client":                {w.snapshot(), w.newAccountID(), false},
			"a disabled organization's":     {w.disabled(), "", true},
			"another's, with the client id": {n.snapshot(), token.ID, false},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := w.service.Refresh(w.ctx(), from(here), try.org, try.client, tokens.RefreshToken)
				wantProblem(t, err, problem.InvalidGrant)
				if same := err.Error() == unknown.Error(); same != try.same {
					t.Errorf("the refusal is %v", err)
				}
			})
		}
		if after := r.all(); after != before {
			t.Error("a refused refresh changed something")
		}
		_, err := w.service.Refresh(w.ctx(), from(here), w.snapshot(), token.ID, tokens.RefreshToken)
		wantProblem(t, err, "")
	})
}

func (w *world) newAccountID() oauth.ClientID { return oauth.ClientID(tenants.NewID()) }

// What ends a token ends it everywhere and for good.
func TestAPIToken_R4_Ends(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, tt := range map[string]struct {
			end   func(w *world, token oauth.APIToken)
			again bool // it comes back with its owner
		}{
			"deleted by its owner": {func(w *world, token oauth.APIToken) {
				w.must(w.service.DeleteToken(w.ctx(), w.admin, w.org, w.mine(), token.ID))
			}, false},
			"deleted by who manages all": {func(w *world, token oauth.APIToken) {
				w.must(w.service.DeleteToken(w.ctx(), w.admin, w.org, oauth.Whose{All: true}, token.ID))
			}, false},
			"the owner is disabled": {func(w *world, _ oauth.APIToken) {
				w.editUser(func(u *tenants.User) { u.Enabled = false })
			}, true},
			"the owner is deleted": {func(w *world, _ oauth.APIToken) {
				w.inTenants(func(tx tenants.Tx) error {
					if err := tx.DeleteUser(w.org, w.user.ID); err != nil {
						return err
					}
					return tx.Record(w.entry(journal.UserDeleted, journal.Subject{Kind: journal.KindUser, ID: string(w.user.ID)}))
				})
			}, false},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				token, tokens := w.apiToken()
				_, other := w.apiToken()
				login, _ := w.loggedIn()
				warm := w.cell() // remembers the session, and follows the journal
				_, err := warm.Authenticate(w.ctx(), tokens.AccessToken.Reveal())
				w.must(err)
				seen := len(w.journal())
				tt.end(w, token)
				for _, row := range w.journal()[seen:] {
					warm.Apply(row)
				}
				_, err = warm.Authenticate(w.ctx(), tokens.AccessToken.Reveal())
				wantProblem(t, err, problem.Unauthenticated)
				w.wantAlive(tokens.AccessToken, false)
				_, err = w.refresh(here, tokens.RefreshToken)
				wantProblem(t, err, problem.InvalidGrant)
				if tt.again {
					w.editUser(func(u *tenants.User) { u.Enabled = true })
					_, err = w.refresh(here, tokens.RefreshToken)
					wantProblem(t, err, "")
				} else if _, err := w.service.Token(w.ctx(), w.org, oauth.Whose{All: true}, token.ID); !problem.Has(err, problem.NotFound) {
					t.Errorf("the token is still there: %v", err)
				}
				if rows := w.recorded(journal.APITokenDeleted); len(rows) == 1 {
					w.wantAlive(other.AccessToken, true)
					w.wantAlive(login.AccessToken, true)
					if rows[0].Detail["owner"] != string(w.user.ID) {
						t.Errorf("the journal says %+v", rows[0])
					}
				}
			})
		}
	})
}

// Whoever is first, no session of a token outlives it.
func TestAPIToken_R4_RacingDelete(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, r rows) {
		w := newWorld(t, db)
		org := w.snapshot()
		for range rounds(8, 200) {
			token, tokens := w.apiToken()
			var refreshed atomic.Pointer[oauth.Tokens]
			together(2, func(who int) {
				if who == 0 {
					if err := w.service.DeleteToken(w.ctx(), w.admin, w.org, w.mine(), token.ID); err != nil {
						t.Error(err)
					}
					return
				}
				got, err := w.service.Refresh(w.ctx(), from(here), org, "", tokens.RefreshToken)
				if err == nil {
					refreshed.Store(&got)
				} else {
					wantProblem(t, err, problem.InvalidGrant)
				}
			})
			if got := refreshed.Load(); got != nil {
				w.wantAlive(got.AccessToken, false)
			}
			w.wantAlive(tokens.AccessToken, false)
		}
		if n := r.conflicts.n.Load(); n != 0 {
			t.Errorf("%d transactions met in a deadlock", n)
		}
	})
}

// Others' tokens are as good as absent, except for who manages them all.
func TestAPIToken_VCD36_Whose(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		n := w.neighbour()
		token, _ := w.apiToken()
		john := oauth.Whose{Owner: w.colleague("john").ID}
		_, absent := w.service.Token(w.ctx(), w.org, oauth.Whose{All: true}, oauth.ClientID(tenants.NewID()))
		for name, try := range map[string]struct {
			org   tenants.OrgID
			whose oauth.Whose
		}{
			"a colleague": {w.org, john}, "nobody": {w.org, oauth.Whose{}},
			"another organization": {n.org, oauth.Whose{All: true}}, "the owner elsewhere": {n.org, w.mine()},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := w.service.Token(w.ctx(), try.org, try.whose, token.ID)
				wantProblem(t, err, absent.(*problem.Problem).Code)
				wantProblem(t, w.service.DeleteToken(w.ctx(), w.admin, try.org, try.whose, token.ID), problem.NotFound)
				list, total, err := w.service.Tokens(w.ctx(), try.org, try.whose, tenants.Query{Page: 1, PageSize: 10})
				if err != nil || total != 0 || len(list) != 0 {
					t.Errorf("the list is %+v, %d, %v", list, total, err)
				}
			})
		}
		for _, whose := range []oauth.Whose{w.mine(), {All: true}} {
			got, err := w.service.Token(w.ctx(), w.org, whose, token.ID)
			if err != nil || got != token {
				t.Errorf("got %+v, %v, want %+v", got, err, token)
			}
		}
	})
}

// Where the site bounds the life of API tokens, nothing of one outlives it.
func TestAPIToken_Expires(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, func(p *oauth.Policy) { p.APITokenLifetime = 48 * time.Hour })
		token, tokens := w.apiToken()
		if !token.ExpiresAt.Equal(w.clock.now().Add(48*time.Hour)) || tokens.ExpiresIn != 48*time.Hour {
			t.Errorf("it expires at %v, its session in %v", token.ExpiresAt, tokens.ExpiresIn)
		}
		_, by := w.loggedIn()
		late, err := w.service.RegisterToken(w.ctx(), by, w.snapshot(), "late")
		w.must(err)
		w.clock.add(48*time.Hour - time.Second)
		_, err = w.refresh(here, tokens.RefreshToken)
		wantProblem(t, err, "")
		w.clock.add(time.Second)
		_, err = w.refresh(here, tokens.RefreshToken)
		wantProblem(t, err, problem.InvalidGrant)
		again, _ := w.loggedIn()
		_, err = w.fetch(late.ID, again.AccessToken)
		wantProblem(t, err, problem.InvalidGrant)
	})
}

// FuzzFetchToken: no assertion that was not signed here fetches anything.
func FuzzFetchToken(f *testing.F) {
	w := newWorld(f, newDB(f))
	_, by := w.loggedIn()
	token, err := w.service.RegisterToken(w.ctx(), by, w.snapshot(), "ci")
	w.must(err)
	for _, s := range []string{"", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30.", "0123456789abcdef0123456789abcdef", "\xff"} {
		f.Add(string(token.ID), s)
	}
	org := w.snapshot()
	f.Fuzz(func(t *testing.T, id, assertion string) {
		_, err := w.service.FetchToken(t.Context(), from(here), org, oauth.ClientID(id), secret.Text(assertion))
		wantProblem(t, err, problem.InvalidGrant)
	})
}
