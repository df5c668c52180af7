package apps_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

var anotherSecret = secret.Text(strings.Repeat("another-", 5))

func TestRegenerate_CSP_40_41_42(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		old := c.create()
		c.add(c.a, string(old.id), org(services.OrgMember))
		c.add(c.b, string(old.id), org(services.OrgMember))
		inA, inB, unseen := c.token(old, c.a), c.token(old, c.b), c.token(old, c.a)
		c.wantAlive(inA, true)
		c.wantAlive(inB, true)
		s, err := c.apps.Regenerate(t.Context(), c.owner(c.a), c.a, old.id)
		c.must(err)
		for _, token := range []secret.Text{inA, inB, unseen} {
			c.wantAlive(token, false)
		}
		_, err = c.exchange(old, "")
		wantProblem(t, err, problem.InvalidClient)
		fresh := client{old.id, s}
		c.wantAlive(c.token(fresh, c.b), true)
		if len(s) < 43 || s == old.secret {
			t.Errorf("the new secret has %d characters", len(s))
		}
	})
}

// A token that is got at the moment of the change is of the old secret, too.
func TestRegenerate_R4_OutrunsExchanges(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create()
		c.add(c.a, string(k.id), org(services.OrgMember))
		for range 5 {
			var got []secret.Text
			var mu sync.Mutex
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range 4 {
						if issued, err := c.exchange(k, ""); err == nil {
							_, _ = c.tokens.Authenticate(c.ctx(), issued.Access.Reveal())
							mu.Lock()
							got = append(got, issued.Access)
							mu.Unlock()
						}
					}
				})
			}
			s, err := c.apps.Regenerate(t.Context(), c.owner(c.a), c.a, k.id)
			c.must(err)
			wg.Wait()
			for _, token := range got {
				c.wantAlive(token, false)
			}
			k.secret = s
		}
	})
}

func TestRotate_CSP_Overlap(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db, func(s *stage) { s.policy.RotationOverlap = 48 * time.Hour })
		old := c.create(func(d *apps.Draft) { d.AccessTTL = 5 * time.Hour })
		c.add(c.a, string(old.id), org(services.OrgMember))
		before := c.token(old, c.a)
		rotate := func(s secret.Text, overlap time.Duration) error {
			return c.apps.Rotate(t.Context(), c.owner(c.a), c.a, old.id, s, overlap)
		}
		wantProblem(t, rotate("short", 0), problem.BadRequest)
		wantProblem(t, rotate(secret.Text(strings.Repeat("ä", 40)), 0), problem.BadRequest)
		wantProblem(t, rotate(anotherSecret, 31*24*time.Hour), problem.BadRequest)
		wantProblem(t, rotate(old.secret, 0), problem.BadRequest)
		c.must(rotate(anotherSecret, 0))
		c.must(rotate(anotherSecret, 0)) // the answer was lost
		wantProblem(t, rotate(anotherSecret+"2", 0), problem.Conflict)

		fresh := client{old.id, anotherSecret}
		c.pass(47 * time.Hour)
		c.wantAlive(c.token(fresh, c.a), true)
		c.wantAlive(c.token(old, c.a), true)
		a, err := c.apps.Get(t.Context(), c.owner(c.a), c.a, old.id)
		c.must(err)
		if until := a.Secret.Rotating(c.now()); !until.Equal(c.now().Add(time.Hour)) {
			t.Errorf("the old secret works until %s", until)
		}
		issued, err := c.exchange(old, "") // ends with its secret
		c.must(err)
		if issued.ExpiresIn != time.Hour {
			t.Errorf("a token of the old secret is said to live for %s", issued.ExpiresIn)
		}
		young := c.token(fresh, c.a)
		c.pass(time.Hour)
		c.wantAlive(issued.Access, false)
		c.wantAlive(before, false)
		c.wantAlive(young, true)
		_, err = c.exchange(old, "")
		wantProblem(t, err, problem.InvalidClient)
		c.must(rotate(anotherSecret+"2", time.Minute)) // the first one is over
	})
}

// In its last minute an old secret gives tokens that say a minute, for clients cannot
// live with less; they end with the secret.
func TestRotate_R4_LastMinute(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		old := c.create()
		c.add(c.a, string(old.id), org(services.OrgMember))
		c.must(c.apps.Rotate(t.Context(), c.owner(c.a), c.a, old.id, anotherSecret, 10*time.Second))
		issued, err := c.exchange(old, "")
		c.must(err)
		if issued.ExpiresIn != time.Minute {
			t.Errorf("the token says %s", issued.ExpiresIn)
		}
		c.wantAlive(issued.Access, true)
		c.pass(10 * time.Second)
		c.wantAlive(issued.Access, false)
	})
}

func TestEndRotation_R4(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		old := c.create()
		c.add(c.a, string(old.id), org(services.OrgMember))
		by := c.owner(c.a)
		c.must(c.apps.EndRotation(t.Context(), by, c.a, old.id)) // there is none
		token := c.token(old, c.a)
		c.wantAlive(token, true)
		c.must(c.apps.Rotate(t.Context(), by, c.a, old.id, anotherSecret, time.Hour))
		young := c.token(client{old.id, anotherSecret}, c.a)
		c.must(c.apps.EndRotation(t.Context(), by, c.a, old.id))
		c.wantAlive(token, false)
		c.wantAlive(young, true)
		_, err := c.exchange(old, "")
		wantProblem(t, err, problem.InvalidClient)

		// Regenerating ends a rotation, too.
		c.must(c.apps.Rotate(t.Context(), by, c.a, old.id, anotherSecret+"2", time.Hour))
		_, err = c.apps.Regenerate(t.Context(), by, c.a, old.id)
		c.must(err)
		for _, s := range []secret.Text{anotherSecret, anotherSecret + "2"} {
			_, err = c.exchange(client{old.id, s}, "")
			wantProblem(t, err, problem.InvalidClient)
		}
		c.wantAlive(young, false)
	})
}

// An app that was removed and added again is another member; elsewhere nothing
// changed.
func TestHolder_R4_AddedAgainIsAnother(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create()
		c.add(c.a, string(k.id), org(services.OrgMember))
		c.add(c.b, string(k.id), org(services.OrgMember))
		inA, inB, unseen := c.token(k, c.a), c.token(k, c.b), c.token(k, c.b)
		c.wantAlive(inB, true)
		_, err := c.apps.RemoveMembers(t.Context(), c.owner(c.b), c.b, []string{string(k.id)})
		c.must(err)
		c.wantAlive(inB, false)
		c.wantAlive(inA, true)
		_, err = c.exchange(k, string(c.b))
		wantProblem(t, err, problem.AccessDenied)
		c.pass(time.Microsecond)
		c.add(c.b, string(k.id), org(services.OrgMember))
		c.wantAlive(inB, false)
		c.wantAlive(unseen, false)
		c.wantAlive(c.token(k, c.b), true)
	})
}

func TestMayRotate_R7(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		ownersOnly := c.create(func(d *apps.Draft) { d.OwnerOnlyRotation = true })
		strong := c.create(func(d *apps.Draft) { d.Ceiling = services.Ceiling{} }) // as yet
		c.add(c.a, string(strong.id), org(services.OrgOwner))
		middle := c.create()
		c.add(c.a, string(middle.id), org(services.OrgAdmin))
		weak := c.create()
		c.add(c.a, string(weak.id), org(services.OrgMember), c.on("aoa:admin", ""))
		over := org(services.OrgOwner)
		over.ExpiresAt = c.now().Add(time.Minute)
		was := c.create()
		c.add(c.a, string(was.id), over)
		c.pass(time.Minute)
		for _, tt := range []struct {
			who  string
			app  client
			want problem.Code
		}{
			{"owner", ownersOnly, ""}, {"admin+developer", ownersOnly, problem.Forbidden}, {"member+developer", ownersOnly, problem.Forbidden},
			{"owner", strong, ""}, {"admin+developer", strong, problem.Forbidden}, {"member+developer", strong, problem.Forbidden},
			{"admin+developer", middle, ""}, {"member+developer", middle, problem.Forbidden},
			{"admin+developer", weak, ""}, {"member+developer", weak, ""}, {"support+developer", was, ""},
		} {
			by := c.people[c.a][tt.who]
			for name, err := range map[string]error{
				"regenerate": second(c.apps.Regenerate(t.Context(), by, c.a, tt.app.id)),
				"rotate":     c.apps.Rotate(t.Context(), by, c.a, tt.app.id, secret.Text(tenants.NewID()), time.Hour),
				"end":        c.apps.EndRotation(t.Context(), by, c.a, tt.app.id),
			} {
				if tt.want == "" && err != nil && !problem.Has(err, problem.Conflict) || tt.want != "" && !problem.Has(err, tt.want) {
					t.Errorf("%s by %s: %v, want %q", name, tt.who, err, tt.want)
				}
			}
			if tt.want == "" || tt.app == ownersOnly {
				continue
			}
			wantProblem(t, c.apps.DeleteOne(t.Context(), by, c.a, tt.app.id), tt.want)
			wantProblem(t, second(c.apps.Update(t.Context(), by, c.a, tt.app.id, rename("Other"))), tt.want)
		}
		// Who may not change the secret cannot make that anybody's either.
		loosen := func(ch *apps.Change) error { ch.OwnerOnlyRotation = false; return nil }
		wantProblem(t, second(c.apps.Update(t.Context(), c.people[c.a]["admin+developer"], c.a, ownersOnly.id, loosen)), problem.Forbidden)
		_, err := c.apps.Update(t.Context(), c.owner(c.a), c.a, ownersOnly.id, loosen)
		c.must(err)
	})
}

func second[T any](_ T, err error) error { return err }

func rename(to string) func(*apps.Change) error {
	return func(ch *apps.Change) error { ch.DisplayName = to; return nil }
}
