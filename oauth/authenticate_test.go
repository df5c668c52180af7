package oauth_test

import (
	"context"
	"errors"
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

// running is a cell as a site runs it: the journal's tail empties its memory.
type running struct {
	*oauth.Authenticator
	service *oauth.Service
	orgs    *tenants.Directory
	tail    *journal.Tail
}

// run starts a cell with a memory of its own.
func (w *world) run(tweaks ...func(*journal.TailConfig)) *running {
	w.t.Helper()
	return w.runOn(w.db.OAuth(), tweaks...)
}

// runOn is run for a cell whose store is another.
func (w *world) runOn(s oauth.Store, tweaks ...func(*journal.TailConfig)) *running {
	w.t.Helper()
	orgs, err := tenants.NewDirectory(w.db.Tenants(), 100)
	w.must(err)
	r := &running{orgs: orgs, service: w.newServiceOf(s, orgs)}
	r.Authenticator, err = r.service.NewAuthenticator(site, 100, func() bool { return r.tail.Fresh() })
	w.must(err)
	config := journal.TailConfig{
		Source: w.db.Journal(), Followers: []journal.Follower{r.orgs, r.Authenticator}, Interval: 5 * time.Millisecond, Stale: time.Minute,
	}
	for _, tweak := range tweaks {
		tweak(&config)
	}
	r.tail, err = journal.New(config)
	w.must(err)
	r.tail.Start()
	w.t.Cleanup(r.tail.Stop)
	w.must(r.tail.WaitFor(w.ctx(), 0))
	return r
}

// own makes r the cell that does the work: what it reports as done, it has seen.
func (w *world) own(r *running) *running {
	w.db.Follow(r.tail)
	w.t.Cleanup(func() { w.db.Follow(nil) })
	return r
}

// caughtUp waits until the cell knows what is in the journal now.
func (w *world) caughtUp(r *running) {
	w.t.Helper()
	head, err := w.db.Journal().Head(w.ctx())
	w.must(err)
	w.must(r.tail.WaitFor(w.ctx(), head))
}

func (r *running) use(ctx context.Context, token secret.Text) error {
	_, err := r.Authenticate(ctx, token.Reveal())
	return err
}

// TestInvalidation_R4: when somebody is told that access has ended, it has, for
// a cell that remembers the token too, and on the others once they followed.
func TestInvalidation_R4(t *testing.T) {
	t.Parallel()
	eachWithRows(t, func(t *testing.T, db *store.DB, raw rows) {
		for name, end := range map[string]func(w *world, a oauth.ServiceAccount, tokens oauth.Tokens){
			"VCD-86 logged out": func(w *world, _ oauth.ServiceAccount, tokens oauth.Tokens) {
				w.must(w.service.EndSession(w.ctx(), w.as(tokens.AccessToken)))
			},
			"VCD-91 revoked": func(w *world, a oauth.ServiceAccount, _ oauth.Tokens) {
				w.must(w.service.Revoke(w.ctx(), w.admin, w.org, a.ID))
			},
			"deleted": func(w *world, a oauth.ServiceAccount, _ oauth.Tokens) {
				w.must(w.service.Delete(w.ctx(), w.admin, w.org, a.ID))
			},
			"R3 replayed": func(w *world, _ oauth.ServiceAccount, tokens oauth.Tokens) {
				next := w.mustRefresh(tokens.RefreshToken)
				w.mustRefresh(next.RefreshToken)
				_, err := w.refresh(there, tokens.RefreshToken)
				wantProblem(w.t, err, problem.Replayed)
			},
			"VCD-83 a new token fetched": func(w *world, a oauth.ServiceAccount, _ oauth.Tokens) {
				w.activate(a)
			},
			"the organization switched off": func(w *world, _ oauth.ServiceAccount, _ oauth.Tokens) {
				raw.exec("UPDATE organizations SET enabled = FALSE WHERE id = '" + string(w.org) + "'")
				w.inTenants(func(tx tenants.Tx) error {
					return tx.Record(w.entry(journal.OrganizationUpdated, journal.Subject{Kind: journal.KindOrganization, ID: string(w.org)}))
				})
			},
		} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t, db)
				bystander := w.neighbour()
				cell, other := w.own(w.run()), w.run()
				a := w.newAccount()
				tokens, theirs := w.activate(a), bystander.activate(bystander.newAccount())
				w.caughtUp(other)
				for _, c := range []*running{cell, other} {
					w.must(c.use(w.ctx(), tokens.AccessToken))
					w.must(c.use(w.ctx(), theirs.AccessToken))
				}
				end(w, a, tokens)
				wantProblem(t, cell.use(w.ctx(), tokens.AccessToken), problem.Unauthenticated)
				w.caughtUp(other)
				wantProblem(t, other.use(w.ctx(), tokens.AccessToken), problem.Unauthenticated)
				for _, c := range []*running{cell, other} {
					wantProblem(t, c.use(w.ctx(), theirs.AccessToken), "")
				}
			})
		}
	})
}

// TestSession_VCD89: which role a session has is settled when it is issued; what
// that role allows is not.
func TestSession_VCD89_R4_RightsOfTheRoleAreLive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		cell := w.own(w.run())
		token := w.activate(w.newAccount()).AccessToken.Reveal()
		may := func() error {
			who, err := cell.Authenticate(w.ctx(), token)
			w.must(err)
			return cell.orgs.Require(w.ctx(), who, w.org, addToCatalog)
		}
		wantProblem(t, may(), "")
		w.setRights(deployer, viewCatalogs)
		wantProblem(t, may(), problem.Forbidden)
		w.setRights(deployer, viewCatalogs, addToCatalog)
		wantProblem(t, may(), "")
	})
}

// A request that repeats a known token asks the database nothing.
func TestAuthenticate_WarmTokenCostsNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		cell := w.own(w.run())
		token := w.activate(w.newAccount()).AccessToken
		w.must(cell.use(w.ctx(), token))
		before := db.Statements()
		for range 10 {
			w.clock.add(time.Minute)
			w.must(cell.use(w.ctx(), token))
		}
		if n := db.Statements() - before; n != 0 {
			t.Errorf("ten uses of a known token cost %d statements", n)
		}
	})
}

// A global role is held in every organization there is: an edit of it is seen at
// once, and costs each one read of its organization, not of every token.
func TestAuthenticate_R4_R13_GlobalRoleRenamed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		role := tenants.Publication{
			Kind: tenants.GlobalRole, ID: tenants.PublicationID(tenants.NewID()), Name: "Operator",
			PublishAll: true, Rights: []tenants.Right{viewCatalogs},
		}
		w.inTenants(func(tx tenants.Tx) error { return tx.CreatePublication(role) })
		w.orgs.Flush()
		cell := w.own(w.run())
		var known []secret.Text
		for range 3 {
			r := registration()
			r.Scope = oauth.RoleScope(role.Name)
			a, err := w.service.Register(w.ctx(), w.admin, w.snapshot(), r)
			w.must(err)
			known = append(known, w.activate(a).AccessToken)
			w.must(cell.use(w.ctx(), known[len(known)-1]))
		}
		role.Name = "Renamed"
		w.inTenants(func(tx tenants.Tx) error {
			if err := tx.UpdatePublication(role); err != nil {
				return err
			}
			return tx.Record(w.entry(journal.GlobalRoleUpdated, journal.Subject{Kind: journal.KindGlobalRole, ID: string(role.ID)}))
		})
		_, err := cell.orgs.Organization(w.ctx(), w.org)
		w.must(err)
		before := db.Statements()
		for _, token := range known {
			who, err := cell.Authenticate(w.ctx(), token.Reveal())
			w.must(err)
			if who.RoleName != role.Name {
				t.Errorf("the role is still called %q", who.RoleName)
			}
		}
		if n := db.Statements() - before; n != 0 {
			t.Errorf("the tokens were read again, in %d statements", n)
		}
	})
}

// flaky is a journal that cannot always be read.
type flaky struct {
	journal.Source
	down atomic.Bool
}

func (f *flaky) Head(ctx context.Context) (int64, error) {
	if f.down.Load() {
		return 0, errors.New("no answer")
	}
	return f.Source.Head(ctx)
}

// TestAuthenticate_R4_R13: a cell that has not heard from the database for too
// long cannot know who was revoked, and refuses everybody.
func TestAuthenticate_R4_R13_StaleCellRefuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		journalOf, tailClock := &flaky{Source: db.Journal()}, newClock()
		cell := w.run(func(c *journal.TailConfig) { c.Source, c.Stale, c.Now = journalOf, 5*time.Second, tailClock.now })
		a, b := w.newAccount(), w.newAccount()
		revoked, kept := w.activate(a).AccessToken, w.activate(b).AccessToken
		for _, token := range []secret.Text{revoked, kept} {
			w.must(cell.use(w.ctx(), token))
		}

		journalOf.down.Store(true)
		w.must(w.service.Revoke(w.ctx(), w.admin, w.org, a.ID)) // at another cell
		tailClock.add(5 * time.Second)
		w.must(cell.use(w.ctx(), kept)) // fresh enough still
		tailClock.add(time.Millisecond)
		before := db.Statements()
		for _, token := range []secret.Text{revoked, kept, "invented"} {
			err := cell.use(w.ctx(), token)
			wantProblem(t, err, problem.Unavailable)
			if p := problem.From(err); p.RetryAfter <= 0 {
				t.Error("the refusal does not say when to come again")
			}
		}
		if n := db.Statements() - before; n != 0 {
			t.Errorf("a cell without its database sent it %d statements", n)
		}

		journalOf.down.Store(false)
		for end := time.Now().Add(10 * time.Second); problem.Has(cell.use(w.ctx(), kept), problem.Unavailable); {
			if time.Now().After(end) {
				t.Fatal("the cell did not recover")
			}
			time.Sleep(time.Millisecond)
		}
		wantProblem(t, cell.use(w.ctx(), kept), "")
		wantProblem(t, cell.use(w.ctx(), revoked), problem.Unauthenticated)
	})
}

// noOrgs is a database that fails when it is asked for organizations.
type noOrgs struct{ tenants.Store }

func (noOrgs) View(context.Context, func(tenants.Reader) error) error {
	return problem.New(problem.Unavailable, "The database cannot be reached now.")
}

// A client that hears 401 throws its token away; a lost database is no reason to.
func TestAuthenticate_R13_ALostDatabaseIsNoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, newDB(t))
	token := w.activate(w.newAccount()).AccessToken
	orgs, err := tenants.NewDirectory(noOrgs{w.db.Tenants()}, 10)
	w.must(err)
	cell, err := w.newServiceOf(w.db.OAuth(), orgs).NewAuthenticator(site, 10, func() bool { return true })
	w.must(err)
	_, err = cell.Authenticate(w.ctx(), token.Reveal())
	wantProblem(t, err, problem.Unavailable)
}
