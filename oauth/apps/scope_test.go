package apps_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/oauth/apps"
	"causeway/services"
	"causeway/tenants"
)

// manyRoles are roles everywhere, in many instances and of one's own: far more than a
// token has room for.
func (c *cell) manyRoles() (all []services.Grant) {
	c.t.Helper()
	own := services.CustomRole{Org: c.a, Name: "mine", DisplayName: "Mine", CreatedAt: c.now(), UpdatedAt: c.now()}
	for _, p := range c.kind.Permissions {
		own.Permissions = append(own.Permissions, services.ServicePermission{Definition: c.kind.ID, Permission: p.Name})
	}
	c.inServices(func(tx services.Tx) error { return tx.CreateCustomRole(own) })
	in := []services.InstanceID{c.one, c.two}
	for n := range 10 {
		in = append(in, c.instance(c.a, c.kind, fmt.Sprint("more", n)))
	}
	all = []services.Grant{custom("mine")}
	for _, i := range in {
		for _, r := range c.kind.Roles {
			all = append(all, c.on(r.Name, i))
		}
	}
	return append(all, c.on("aoa:viewer", ""), org(services.OrgMember), org(services.Developer))
}

// Whatever an app holds, and however long it is called, its token is read back, and
// says first what clients look for first.
func TestExchange_R13_TokensHaveRoom(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		k := c.create(func(d *apps.Draft) { d.ID = strings.Repeat("x", 256) })
		c.add(c.a, string(k.id), org(services.OrgMember))
		for chunk := range slices.Chunk(c.manyRoles(), 40) {
			c.change(c.a, string(k.id), apps.RoleChange{Add: chunk})
		}
		issued, err := c.exchange(k, "")
		c.must(err)
		_, err = c.tokens.Authenticate(c.ctx(), issued.Access.Reveal())
		c.must(err)
		wantShort(t, c, issued.Scopes)
		if n := len(issued.Access.Reveal()); n < 5000 {
			t.Errorf("the token has %d bytes: the test holds too little", n)
		}
	})
}

func TestScopes_R13_UsersTokensHaveRoom(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		who := c.people[c.a]["member"].Principal
		for chunk := range slices.Chunk(c.manyRoles(), 40) {
			chunk = slices.DeleteFunc(chunk, func(g services.Grant) bool { return g.Kind == services.GrantOrganization })
			_, err := c.apps.ChangeUserRoles(c.ctx(), c.owner(c.a), c.a, tenants.UserID(who.ID), apps.RoleChange{Add: chunk})
			c.must(err)
		}
		scopes, err := c.apps.Scopes(c.ctx(), who)
		c.must(err)
		wantShort(t, c, scopes)
		again, err := c.apps.ScopesOf(c.ctx(), c.a, tenants.UserID(who.ID))
		c.must(err)
		wantShort(t, c, again)
	})
}

func wantShort(t *testing.T, c *cell, scopes []string) {
	t.Helper()
	if n := len(strings.Join(scopes, " ")); n > 4<<10 {
		t.Errorf("the scopes have %d bytes", n)
	}
	prefix := "external/" + string(c.kind.ID) + "/"
	for _, want := range []string{"csp:org_member", prefix + "*/aoa:viewer", prefix + "aoa:viewer"} {
		if !slices.Contains(scopes, want) {
			t.Errorf("%s is not among %.400q", want, scopes)
		}
	}
	in := map[string]int{}
	for _, s := range scopes {
		if part := strings.Split(s, "/"); len(part) == 4 && part[2] != "*" {
			in[part[3]]++
		}
	}
	if len(in) < 5 {
		t.Errorf("of roles in instances only %v are named", in)
	}
	for role, n := range in {
		if n > 4 {
			t.Errorf("%s is named of %d instances", role, n)
		}
	}
}

// What we would not read back is not given out.
func TestSignServiceToken_R13_NothingThatIsNotReadBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := newCell(t, db)
		_, err := c.signer.SignServiceToken(c.ctx(), oauth.ServiceToken{
			ID: tenants.NewID(), Client: "app", Org: c.a, Perms: []string{strings.Repeat("x", 8000)}, IssuedAt: c.now(), ExpiresAt: c.now(),
		})
		if err == nil {
			t.Error("a token that is too long was signed")
		}
	})
}
