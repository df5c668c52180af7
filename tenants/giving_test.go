package tenants_test

import (
	"slices"
	"testing"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// What pages offer is what the change allows: every role that is offered can be
// given, and no other.
func TestGiving_R7_IsWhatCanBeGiven(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		for name, by := range map[string]tenants.Caller{"clerk": p.clerk, "boss": p.boss, "root": p.root} {
			offered, err := p.service.RolesToGive(p.ctx(), by, p.acme.ID, tenants.KindUser)
			p.must(err)
			g, err := p.service.Giving(p.ctx(), by, p.acme.ID)
			p.must(err)
			all, _, err := p.service.Roles(p.ctx(), p.acme.ID, tenants.Query{Page: 1, PageSize: 100})
			p.must(err)
			for _, listed := range all {
				role, err := p.service.Role(p.ctx(), p.acme.ID, listed.ID)
				p.must(err)
				_, err = p.service.CreateUser(p.ctx(), by, p.acme, tenants.User{Name: tenants.NewID(), Role: role.ID, Enabled: true}, password)
				is := slices.ContainsFunc(offered, func(r tenants.Role) bool { return r.ID == role.ID })
				if is != (err == nil) || is != (len(g.Lacking(role, tenants.KindUser)) == 0) {
					t.Errorf("%s, %s: offered %v, giving it: %v", name, role.Name, is, err)
				}
			}
		}
	})
}
