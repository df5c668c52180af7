package apps_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// However changes to the same apps fall together, each is done or refused for a
// reason of its own, and what is left agrees: nobody holds anything without being a
// member, and accounts are where service roles are.
func TestChangesMeanwhile_R4_CSP_18(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newStage(t, db)
		s.customRole(s.a, "Charts", "aoa:metrics")
		clients := []string{s.app(), s.app(), s.app()}
		var wg sync.WaitGroup
		for n := range uint64(6) {
			wg.Go(func() {
				dice := rand.New(rand.NewPCG(n, 2))
				for range 25 {
					err := s.meddle(dice, clients)
					if p := problem.As(err); err != nil && (p == nil || p.Code.Row().Status >= 500) {
						t.Errorf("a change ends with %v", err)
					}
				}
			})
		}
		wg.Wait()
		for _, o := range []tenants.OrgID{s.a, s.b} {
			s.consistent(t, o, clients)
		}
	})
}

func (s *stage) meddle(dice *rand.Rand, clients []string) error {
	client := clients[dice.IntN(len(clients))]
	o, in := s.a, []services.InstanceID{s.one, s.two}[dice.IntN(2)]
	if dice.IntN(2) == 0 {
		o, in = s.b, s.other
	}
	role := s.on([]string{"aoa:viewer", "aoa:proxies"}[dice.IntN(2)], in)
	by := s.owner(o)
	switch dice.IntN(8) {
	case 0, 1:
		_, err := s.apps.AddMembers(s.ctx(), by, o, []string{client}, []services.Grant{role})
		return err
	case 2:
		_, err := s.apps.RemoveMembers(s.ctx(), by, o, []string{client})
		return err
	case 3:
		_, err := s.apps.Update(s.ctx(), s.owner(s.a), s.a, apps.ID(client), func(c *apps.Change) error {
			c.Ceiling.Services = nil
			if dice.IntN(3) > 0 {
				c.Ceiling.Services = []services.ServiceCeiling{{Definition: s.kind.ID, Roles: []services.ScopedRole{{Name: role.Role}}}}
			}
			return nil
		})
		return err
	case 4:
		_, err := s.apps.ChangeRoles(s.ctx(), by, o, client, apps.RoleChange{Remove: []services.Grant{role}})
		return err
	case 5:
		if client == clients[0] && dice.IntN(3) == 0 {
			return s.apps.DeleteOne(s.ctx(), s.owner(s.a), s.a, apps.ID(client))
		}
	}
	_, err := s.apps.ChangeRoles(s.ctx(), by, o, client, apps.RoleChange{Add: []services.Grant{role, custom("Charts")}[:1+dice.IntN(2)]})
	return err
}

// consistent holds what apps hold against where they have accounts.
func (s *stage) consistent(t *testing.T, o tenants.OrgID, clients []string) {
	t.Helper()
	instances := []services.InstanceID{s.one, s.two}
	if o == s.b {
		instances = []services.InstanceID{s.other}
	}
	for _, client := range clients {
		var held services.Held
		err := s.db.Apps().View(s.ctx(), func(r apps.Reader) (err error) {
			held, err = r.Held(o, appHolder(client))
			return err
		})
		if err != nil && !problem.Has(err, problem.NotFound) {
			t.Fatal(err)
		}
		var want []services.InstanceID
		for _, in := range instances {
			if len(held.ServiceRoles(s.kind, in, s.now())) > 0 {
				want = append(want, in)
			}
		}
		slices.Sort(want)
		if got := s.accounts(o, appHolder(client)); !slices.Equal(got, want) {
			t.Errorf("%s holds %v in %s, and has accounts in %v, want %v", client, held.Grants, o, got, want)
		}
	}
}
