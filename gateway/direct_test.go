package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"causeway/federation"
	"causeway/federation/links"
	"causeway/internal/httpapi"
	"causeway/internal/journal"
	"causeway/internal/sitetest"
	"causeway/tenants"
)

// relink edits what a site holds about an organization of the other one, as the
// associations' own service does.
func (w *world) relink(t *testing.T, at string, local tenants.OrgID, remote tenants.LocationID, edit func(*federation.OrgAssociation)) {
	t.Helper()
	err := w.Site(at).DB().Federation().InTx(t.Context(), func(tx federation.Tx) error {
		a, err := tx.OrgAssociation(local, remote)
		if err != nil {
			return err
		}
		edit(&a)
		if err := tx.PutOrgAssociation(a); err != nil {
			return err
		}
		return tx.Record(changed(local, remote.Org))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func changed(local, remote tenants.OrgID) journal.Entry {
	return journal.Entry{
		At: time.Now().UTC().Truncate(time.Microsecond), Org: string(local), Actor: journal.Actor{Kind: "user", Name: "administrator"}, Action: journal.OrgLinkUpdated,
		Subject: journal.Subject{Kind: journal.KindOrgAssociation, ID: string(remote)},
	}
}

func (w *world) orgAt(site, org string) tenants.LocationID {
	return tenants.LocationID{Org: tenants.OrgID(bare(w.c.Site(site).Org(org).ID)), Site: tenants.SiteID(bare(w.c.Site(site).ID))}
}

// until asks again until the answer has a status: what a change makes true
// reaches the caches a moment later.
func (w *world) until(t *testing.T, status int, ask func() sitetest.Answer) sitetest.Answer {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		a := ask()
		if a.Status == status {
			return a
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d %s, want %d", a.Status, a.Body, status)
		}
	}
}

// A client may show west's token at east itself, where east's organization says
// so: it acts there as east's account of the same name and software id, and no
// longer than its session at west stands. Everybody else gets the answer of a
// token that was made up (I2, I4, I5).
func TestDirect_R4_R10_VCD38_I4_I5(t *testing.T) {
	w := start(t, "sqlite")
	west, east := w.orgAt("west", "acme"), w.orgAt("east", "acme")
	admin := w.c.Login(t, "west", "acme")
	id, _ := w.c.Account(t, "west", admin, "inventory-bot")
	token, _ := w.c.Connect(t, "west", "acme", id)
	ask := func(token string, contexts ...string) sitetest.Answer {
		return w.do(t, "east", "GET", "/sample/inventory", sitetest.Bearer(token, contexts...), "")
	}
	byID := []string{httpapi.HeaderTenantContext, string(east.Org)}

	off := ask(token, byID...).Want(t, 401) // off unless the association says so
	w.relink(t, "east", east.Org, west, func(a *federation.OrgAssociation) { a.Direct = true })
	body := w.until(t, 200, func() sitetest.Answer { return ask(token, byID...) }).JSON(t)
	if body["site"] != "east" || body["organization"] != "acme" || body["principal"] != "inventory-bot" || body["role"] != "Inventory Auditor" {
		t.Errorf("fulfilled as %v", body)
	}
	ask(token, httpapi.HeaderAuthContext, "ACME").Want(t, 200)
	ask(token, httpapi.HeaderAuthContext, east.String()).Want(t, 200)
	ask(token).Want(t, 401) // without the header
	made := ask(token, httpapi.HeaderAuthContext, "no-such").Want(t, 401)
	for name, contexts := range map[string][]string{
		"an organization that is not associated": {httpapi.HeaderAuthContext, "globex"},
		"the provider's":                         {httpapi.HeaderAuthContext, "System"},
		"one that does not take tokens":          {httpapi.HeaderAuthContext, "acme-labs"},
		"two that disagree":                      {httpapi.HeaderAuthContext, "globex", httpapi.HeaderTenantContext, string(east.Org)},
	} {
		if got := ask(token, contexts...).Want(t, 401); masked(got) != masked(made) {
			t.Errorf("%s:\n%s\nmade up:\n%s", name, got.Body, made.Body)
		}
	}
	if masked(off) != masked(made) {
		t.Error("an association that takes no tokens can be told from none")
	}
	forged := token[:len(token)-4] + "AAAA"
	ask(forged, byID...).Want(t, 401)
	ask(admin, byID...).Want(t, 403) // people are not mapped unasked

	w.c.Revoke(t, "west", admin, id)
	revoked := time.Now()
	w.until(t, 401, func() sitetest.Answer { return ask(token, byID...) })
	t.Logf("revoked at home, refused here after %s", time.Since(revoked).Round(time.Millisecond))
}

// Where the home site cannot be asked, the client must keep its token.
func TestDirect_R10_HomeIsAway(t *testing.T) {
	w := start(t, "sqlite")
	west, east := w.orgAt("west", "acme"), w.orgAt("east", "acme")
	w.relink(t, "east", east.Org, west, func(a *federation.OrgAssociation) { a.Direct = true })
	admin := w.c.Login(t, "west", "acme")
	id, _ := w.c.Account(t, "west", admin, "inventory-bot")
	token, _ := w.c.Connect(t, "west", "acme", id)
	if err := w.StopSite(t.Context(), "west"); err != nil {
		t.Fatal(err)
	}
	w.until(t, 503, func() sitetest.Answer {
		return w.do(t, "east", "GET", "/sample/inventory", sitetest.Bearer(token, httpapi.HeaderTenantContext, string(east.Org)), "")
	})
}

// associateProviders associates the two System organizations.
func (w *world) associateProviders(t *testing.T) {
	t.Helper()
	keys := map[string]string{}
	for _, at := range []string{"west", "east"} {
		s := w.Site(at)
		key, err := links.EnsureOrgKey(t.Context(), s.DB().Federation(), s.Keys(), tenants.SystemOrgID, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if keys[at], err = links.EncodePublicKey(&key.PublicKey); err != nil {
			t.Fatal(err)
		}
	}
	for at, other := range map[string]string{"west": "east", "east": "west"} {
		err := w.Site(at).DB().Federation().InTx(t.Context(), func(tx federation.Tx) error {
			now := time.Now().UTC().Truncate(time.Microsecond)
			a := federation.OrgAssociation{
				Local: tenants.SystemOrgID, Remote: tenants.SystemOrgID, RemoteName: "System", Site: w.orgAt(other, "acme").Site,
				PublicKey: keys[other], RemoteEnabled: true, MapUsers: true, Status: federation.StatusActive, StatusAt: now, CreatedAt: now,
			}
			if err := tx.PutOrgAssociation(a); err != nil {
				return err
			}
			return tx.Record(changed(tenants.SystemOrgID, tenants.SystemOrgID))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A provider acts in a tenant of another site with what its own account there may
// do, where the two providers are associated, and nobody else does (R6, R7).
func TestProviderActsInAnotherSitesTenant_R6_R10(t *testing.T) {
	w := start(t, "sqlite")
	east := w.orgAt("east", "globex") // associated with nobody
	provider, tenant := w.c.Login(t, "west", sitetest.System), w.c.Login(t, "west", "acme")
	roles := func(token string, contexts ...string) sitetest.Answer {
		return w.do(t, "west", "GET", "/cloudapi/1.0.0/roles", sitetest.Bearer(token, contexts...), "")
	}
	roles(provider, httpapi.HeaderAuthContext, east.String()).Want(t, 403) // the providers are not associated yet
	w.associateProviders(t)
	there := tenants.LocationID{Org: tenants.SystemOrgID, Site: east.Site}
	a := w.until(t, 200, func() sitetest.Answer { return roles(provider, httpapi.HeaderAuthContext, east.String()) })
	if got := a.Header.Get(httpapi.HeaderServedBy); got != east.String() {
		t.Errorf("served by %q, want %s", got, east)
	}
	roles(provider, httpapi.HeaderAuthContext, there.String(), httpapi.HeaderTenantContext, string(east.Org)).Want(t, 200)
	roles(provider, httpapi.HeaderAuthContext, there.String()).Want(t, 200)
	nobody := tenants.LocationID{Org: "33333333-3333-4333-8333-333333333333", Site: east.Site}
	roles(provider, httpapi.HeaderAuthContext, nobody.String()).Want(t, 403)
	roles(provider, httpapi.HeaderTenantContext, string(east.Org)).Want(t, 403) // which site is not said
	roles(tenant, httpapi.HeaderAuthContext, east.String()).Want(t, 403)
	roles(tenant, httpapi.HeaderAuthContext, there.String()).Want(t, 403)
	w.relink(t, "east", tenants.SystemOrgID, tenants.LocationID{Org: tenants.SystemOrgID, Site: w.orgAt("west", "acme").Site},
		func(a *federation.OrgAssociation) { a.MapUsers = false })
	for _, to := range []string{east.String(), there.String()} { // the provider there takes nobody's people any more
		w.until(t, 403, func() sitetest.Answer { return roles(provider, httpapi.HeaderAuthContext, to) })
	}
}

// Whoever asks learns what sending the request would tell, and nothing is sent.
func TestExplainRoute_R10(t *testing.T) {
	w := start(t, "sqlite")
	east := w.orgAt("east", "acme")
	token := w.c.Login(t, "west", "acme")
	ask := func(query string) map[string]any {
		return w.do(t, "west", http.MethodGet, "/cloudapi/causeway/1.0.0/explainRoute?"+query, sitetest.Bearer(token), "").Want(t, 200).JSON(t)
	}
	for query, want := range map[string][3]string{
		"":                                    {"1", "local", ""},
		"tenantContext=" + string(east.Org):   {"4", "peer", ""},
		"authContext=acme-labs":               {"6", "peer", ""},
		"authContext=globex":                  {"8", "refuse", "ACCESS_TO_RESOURCE_IS_FORBIDDEN"},
		"authContext=no-such":                 {"8", "refuse", "ACCESS_TO_RESOURCE_IS_FORBIDDEN"},
		"tenantContext=nonsense":              {"malformed", "refuse", "BAD_REQUEST"},
		"authContext=" + east.String() + "&x": {},
	} {
		if want[0] == "" {
			w.do(t, "west", "GET", "/cloudapi/causeway/1.0.0/explainRoute?"+query, sitetest.Bearer(token), "").Want(t, 400)
			continue
		}
		got := ask(query)
		code, _ := got["code"].(string)
		if got["row"] != want[0] || got["decision"] != want[1] || code != want[2] || got["meaning"] == "" {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}
