package oauth_test

import (
	"slices"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

var firstPage = tenants.Query{Page: 1, PageSize: 10}

// ids of a list, sorted.
func ids(list []oauth.Session) (all []string) {
	for _, s := range list {
		all = append(all, string(s.ID))
	}
	slices.Sort(all)
	return all
}

func (w *world) wantSessions(who *tenants.Principal, want ...oauth.Tokens) {
	w.t.Helper()
	list, total, err := w.service.Sessions(w.ctx(), w.org, firstPage)
	if who != nil {
		list, total, err = w.service.OwnSessions(w.ctx(), *who, firstPage)
	}
	w.must(err)
	var sessions []oauth.Session
	for _, t := range want {
		sessions = append(sessions, t.Session)
	}
	if !slices.Equal(ids(list), ids(sessions)) || total != len(want) {
		w.t.Errorf("%d sessions %v, want %v", total, ids(list), ids(sessions))
	}
}

func TestSessions_OfTheOrganizationAndOnesOwn_R6(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		n := w.neighbour()
		n.login()
		app, person := w.activate(w.newAccount()), w.login()
		again := w.login()
		w.wantSessions(nil, app, person, again)
		p := w.as(person.AccessToken).Principal
		w.wantSessions(&p, person, again)
		machine := w.as(app.AccessToken).Principal
		w.wantSessions(&machine, app)
		p.Via = site // somebody of the same name from elsewhere
		w.wantSessions(&p)
		p.Via, p.ID = "", string(n.user.ID)
		w.wantSessions(&p)

		list, _, err := w.service.Sessions(w.ctx(), w.org, tenants.Query{Where: "name = ?", Args: []any{"jane"}, SortBy: "created_at", Page: 2, PageSize: 1})
		w.must(err)
		if len(list) != 1 || list[0].Name != "jane" {
			t.Errorf("the second page of a filter is %+v", list)
		}
	})
}

// What is over is not there, and people have the role that they have now.
func TestSessions_AreLive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		out, used, cell := w.login(), w.login(), w.cell()
		w.must(w.service.EndSession(w.ctx(), w.as(out.AccessToken)))
		w.login() // and never seen again
		w.clock.add(29 * time.Minute)
		_, err := cell.Authenticate(w.ctx(), used.AccessToken.Reveal())
		w.must(err)
		w.must(cell.FlushUse(w.ctx()))
		w.clock.add(time.Minute)
		w.changeUser(func(u *tenants.User) { u.Role = w.roles[viewer] })
		w.wantSessions(nil, used)
		list, _, err := w.service.Sessions(w.ctx(), w.org, firstPage)
		w.must(err)
		if len(list) == 1 && list[0].Role != w.roles[viewer] {
			t.Errorf("the role is %s", list[0].Role)
		}
		w.clock.add(day)
		w.wantSessions(nil)
	})
}

func TestEndSessionOf_R6(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		n := w.neighbour()
		theirs, mine, app := n.login(), w.login(), w.activate(w.newAccount())
		knows := w.own(w.run())
		w.must(knows.use(w.ctx(), mine.AccessToken))

		for name, id := range map[string]tenants.SessionID{"foreign": theirs.Session.ID, "unknown": tenants.SessionID(tenants.NewID())} {
			err := w.service.EndSessionOf(w.ctx(), w.admin, w.org, id)
			if err == nil || problem.From(err).Code != problem.Hidden().Code || problem.From(err).Detail != problem.Hidden().Detail {
				t.Errorf("%s: %v", name, err)
			}
		}
		n.wantAlive(theirs.AccessToken, true)

		w.must(w.service.EndSessionOf(w.ctx(), w.admin, w.org, mine.Session.ID))
		wantProblem(t, knows.use(w.ctx(), mine.AccessToken), problem.Unauthenticated)
		w.wantAlive(app.AccessToken, true)
		rows := w.recorded(journal.SessionEnded)
		if len(rows) != 1 || rows[0].Actor != w.admin.Actor() || rows[0].Subject.ID != string(mine.Session.ID) || rows[0].Subject.Name != "jane" {
			t.Errorf("recorded as %+v", rows)
		}
		wantProblem(t, w.service.EndSessionOf(w.ctx(), w.admin, w.org, mine.Session.ID), problem.Hidden().Code)
		if n := len(w.recorded(journal.SessionEnded)); n != 1 {
			t.Errorf("ended %d times", n)
		}
	})
}
