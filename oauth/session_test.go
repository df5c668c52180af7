package oauth_test

import (
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

// as is who holds an access token.
func (w *world) as(token secret.Text) tenants.Caller {
	w.t.Helper()
	who, err := w.cell().Authenticate(w.ctx(), token.Reveal())
	w.must(err)
	by := from(here)
	by.Principal = who
	return by
}

func (w *world) login() oauth.Tokens {
	w.t.Helper()
	tokens, err := w.service.OpenSession(w.ctx(), from(office), w.snapshot(), w.user)
	w.must(err)
	return tokens
}

func TestIdle_VCD85(t *testing.T) {
	t.Parallel()
	const idle, moment = 30 * time.Minute, time.Microsecond
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, open := range map[string]func(*world) oauth.Tokens{
			"an account": func(w *world) oauth.Tokens { return w.activate(w.newAccount()) },
			"a person":   (*world).login,
		} {
			t.Run(name, func(t *testing.T) {
				for _, tt := range []struct {
					name string
					uses []time.Duration // the wait before each use at the first cell
					then time.Duration   // and before the one that counts, there
					want bool
				}{
					{"never used, just in time", nil, idle - moment, true},
					{"never used", nil, idle, false},
					{"each use extends", []time.Duration{idle - moment, idle - moment, idle - moment}, idle - moment, true},
					{"by the timeout and no more", []time.Duration{idle - moment, idle - moment}, idle, false},
					{"a refused use extends nothing", []time.Duration{idle, moment}, moment, false},
				} {
					t.Run(tt.name, func(t *testing.T) {
						w := newWorld(t, db)
						tokens, cell := open(w), w.cell()
						use := func(wait time.Duration) error {
							w.clock.add(wait)
							_, err := cell.Authenticate(w.ctx(), tokens.AccessToken.Reveal())
							return err
						}
						for _, wait := range tt.uses {
							_ = use(wait)
						}
						if err := use(tt.then); tt.want {
							wantProblem(t, err, "")
						} else {
							wantProblem(t, err, problem.Unauthenticated)
							w.wantAlive(tokens.AccessToken, false)
						}
						if tokens.RefreshToken != "" {
							w.wantAlive(w.mustRefresh(tokens.RefreshToken).AccessToken, true)
						}
					})
				}
			})
		}
	})
}

// What one cell saw, the others learn by the database.
func TestIdle_VCD85_AcrossCells(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		token := w.activate(w.newAccount()).AccessToken.Reveal()
		one, two := w.cell(), w.cell()
		for _, cell := range []*oauth.Authenticator{one, two} { // both remember it
			_, err := cell.Authenticate(w.ctx(), token)
			w.must(err)
		}
		for range 4 { // one cell serves for more than the timeout
			w.clock.add(20 * time.Minute)
			_, err := one.Authenticate(w.ctx(), token)
			w.must(err)
		}
		w.must(one.FlushUse(w.ctx()))
		w.must(two.FlushUse(w.ctx())) // which knows less, and takes nothing back
		w.clock.add(20 * time.Minute)
		_, err := two.Authenticate(w.ctx(), token)
		wantProblem(t, err, "")
		w.must(two.FlushUse(w.ctx()))
		w.clock.add(30 * time.Minute)
		for _, cell := range []*oauth.Authenticator{one, two, w.cell()} {
			_, err = cell.Authenticate(w.ctx(), token)
			wantProblem(t, err, problem.Unauthenticated)
		}
	})
}

// FlushUse writes what changed, and only that.
func TestFlushUse_WritesWhatChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		token, cell := w.activate(w.newAccount()).AccessToken.Reveal(), w.cell()
		use := func() {
			w.clock.add(time.Minute)
			_, err := cell.Authenticate(w.ctx(), token)
			w.must(err)
		}
		flush := func() int64 {
			before := db.Statements()
			w.must(cell.FlushUse(w.ctx()))
			return db.Statements() - before
		}
		use()
		use()
		if flush() == 0 {
			t.Error("a use was not written")
		}
		if n := flush(); n != 0 {
			t.Errorf("%d statements to write nothing", n)
		}
		use()
		if flush() == 0 {
			t.Error("a later use was not written")
		}
	})
}

// A session ends at its time, however busy it is, for cells that remember it and
// for those that do not.
func TestSession_AbsoluteLifetime(t *testing.T) {
	t.Parallel()
	busy := func(p *oauth.Policy) { p.IdleTimeout = 48 * time.Hour }
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, tt := range map[string]struct {
			open func(*world) oauth.Tokens
			life time.Duration
		}{
			"VCD-75 an account": {func(w *world) oauth.Tokens { return w.activate(w.newAccount()) }, 30 * day},
			"a person":          {(*world).login, day},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db, busy)
				tokens, cell := tt.open(w), w.cell()
				if tokens.ExpiresIn != tt.life {
					t.Errorf("the client is told %v, want %v", tokens.ExpiresIn, tt.life)
				}
				use := func(after time.Duration) error {
					w.clock.add(after)
					_, err := cell.Authenticate(w.ctx(), tokens.AccessToken.Reveal())
					w.must(cell.FlushUse(w.ctx()))
					return err
				}
				for used := day; used < tt.life; used += day {
					wantProblem(t, use(day), "")
				}
				wantProblem(t, use(day-time.Second), "")
				wantProblem(t, use(time.Second), problem.Unauthenticated)
				w.wantAlive(tokens.AccessToken, false)
				if tokens.RefreshToken != "" {
					w.wantAlive(w.mustRefresh(tokens.RefreshToken).AccessToken, true)
				}
			})
		}
	})
}

func TestEndSession_VCD86(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a := w.newAccount()
		first := w.activate(a)
		second := w.mustRefresh(first.RefreshToken)
		by := w.as(second.AccessToken)
		w.must(w.service.EndSession(w.ctx(), by))

		w.wantAlive(second.AccessToken, false)
		w.wantAlive(first.AccessToken, true) // a session of its own
		w.wantStatus(a, oauth.Active)
		w.wantAlive(w.mustRefresh(second.RefreshToken).AccessToken, true)
		rows := w.recorded(journal.SessionEnded)
		if len(rows) != 1 || rows[0].Actor != by.Principal.Actor() || rows[0].Subject.ID != string(second.Session.ID) {
			t.Errorf("recorded as %+v", rows)
		}
	})
}

func TestEndSession_OfAPerson(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		one, two := w.login(), w.login()
		if one.RefreshToken != "" {
			t.Error("a person got a refresh token")
		}
		by := w.as(one.AccessToken)
		want := tenants.Principal{
			Kind: tenants.KindUser, ID: string(w.user.ID), Name: w.user.Name, Org: w.org, OrgName: w.snapshot().Name,
			Role: w.user.Role, RoleName: tenants.OrganizationAdministrator, Session: one.Session.ID,
			Home: tenants.LocationID{Org: w.org, Site: site},
		}
		if by.Principal != want {
			t.Errorf("the session is of %+v, want %+v", by.Principal, want)
		}
		w.must(w.service.EndSession(w.ctx(), by))
		w.wantAlive(one.AccessToken, false)
		w.wantAlive(two.AccessToken, true)
	})
}

// A session id from another organization ends nothing there.
func TestEndSession_R6(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		n := w.neighbour()
		foreign := n.activate(n.newAccount())
		by := w.as(w.login().AccessToken)
		by.Principal.Session = foreign.Session.ID
		wantProblem(t, w.service.EndSession(w.ctx(), by), problem.NotFound)
		n.wantAlive(foreign.AccessToken, true)
	})
}
