package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// An older version knows neither global roles nor bundles: what was withdrawn by
// them stays withdrawn, and everybody is still there.
func TestMigrate_R14_DownBringsNoRightBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own") // its role allows Task: View and Organization: View
		published := w.holdGlobalRole(t, "published", "Task: View", "Catalog: View")
		withdrawn := w.holdGlobalRole(t, "withdrawn", "Task: View")
		everywhere := w.holdGlobalRole(t, "everywhere", "Site: View")
		elsewhere := newOrg(t, db, "Elsewhere") // has but the right that is published to all
		inTenants(t, db, func(tx tenants.Tx) error {
			bundle := tenants.Publication{Kind: tenants.RightsBundle, ID: newID[tenants.PublicationID](), Name: "Own", Rights: []tenants.Right{"Task: View"}}
			all := tenants.Publication{Kind: tenants.RightsBundle, ID: newID[tenants.PublicationID](), Name: "All", Rights: []tenants.Right{"Site: View", "Organization: View"}, PublishAll: true}
			unused := tenants.Publication{Kind: tenants.RightsBundle, ID: newID[tenants.PublicationID](), Name: "Unused", Rights: []tenants.Right{"Catalog: View"}}
			return errors.Join(
				tx.CreatePublication(bundle), tx.CreatePublication(all), tx.CreatePublication(unused),
				tx.Publish(bundle.ID, []tenants.OrgID{w.org}), tx.Unpublish(withdrawn, []tenants.OrgID{w.org}),
				tx.Unpublish(everywhere, []tenants.OrgID{w.org}),
				tx.UpdatePublication(tenants.Publication{Kind: tenants.GlobalRole, ID: everywhere, Name: "everywhere", PublishAll: true}),
			)
		})
		inOAuth(t, db, func(tx oauth.Tx) error { return tx.CreateSession(w.newTokenSession()) })
		before := populations(t, db)
		want := []string{
			string(w.role) + " Organization: View", string(w.role) + " Task: View", string(published) + " Task: View",
			string(everywhere) + " Site: View", string(elsewhere.role) + " Organization: View",
		}
		slices.Sort(want)
		for range 2 {
			ok(t, db.MigrateTo(t.Context(), 1))
			if got := roleRights(t, db); !slices.Equal(got, want) {
				t.Errorf("an older version is left the rights\n%q\nwant\n%q", got, want)
			}
			if n := count(t, db, "sessions", "kind = 'apiToken' AND ended_at = 0"); n != 0 {
				t.Errorf("%d sessions of API tokens live on", n)
			}
			ok(t, db.Migrate(t.Context()))
			if after := populations(t, db); !slices.Equal(after, before) {
				t.Errorf("down and up leaves %v rows of %v", after, before)
			}
		}
		if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(1)); !did || err != nil {
			t.Errorf("the token that was live rotates: %v, %v", did, err)
		}
		ok(t, db.MigrateTo(t.Context(), 0))
	})
}

// holdGlobalRole publishes a global role to the organization, and gives it to a
// user and an account there.
func (w *tenant) holdGlobalRole(t *testing.T, name string, rights ...tenants.Right) tenants.PublicationID {
	t.Helper()
	id := newID[tenants.PublicationID]()
	user := tenants.User{ID: newID[tenants.UserID](), Org: w.org, Name: name, Role: tenants.RoleID(id), ProviderType: tenants.ProviderIntegrated, Enabled: true}
	inTenants(t, w.db, func(tx tenants.Tx) error {
		return errors.Join(
			tx.CreatePublication(tenants.Publication{Kind: tenants.GlobalRole, ID: id, Name: name, Rights: rights}),
			tx.Publish(id, []tenants.OrgID{w.org}), tx.CreateUser(user),
		)
	})
	inOAuth(t, w.db, func(tx oauth.Tx) error {
		return tx.CreateServiceAccount(oauth.ServiceAccount{ID: newID[oauth.ClientID](), Org: w.org, Name: name, Role: tenants.RoleID(id)})
	})
	return id
}

// What was sealed is still proved after an older version has served in between,
// and nothing of today goes with the age of what was before.
func TestMigrate_R14_DownKeepsWhatIsSealed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		u := db.Upkeep()
		five := func() {
			for range 5 {
				note(t, db)
				refuse(t, db, "request")
			}
		}
		five()
		sealAll(t, db)
		for range 2 {
			ok(t, db.MigrateTo(t.Context(), 3))
			exec(t, db, "INSERT INTO token_events (at, org_id, account_id, kind, source, detail) VALUES (1, '', '', 'issued', '', '')")
			ok(t, db.Migrate(t.Context()))
			storetest.Intact(t, db)
		}
		for _, l := range journal.Logs() { // what is old is what was sealed before
			ok(t, u.AllowPurge(t.Context(), l, now.Add(time.Hour), now))
		}
		five()
		for _, l := range journal.Logs() {
			last, err := u.Sealed(t.Context(), l)
			ok(t, err)
			if last != 5 {
				t.Errorf("%s is sealed up to %d", l, last)
			}
			if n := sweep(t, db, string(l), keep.Before(now), 4); n != 5 {
				t.Errorf("%d of %s were removed, want the 5 that are old", n, l)
			}
		}
		sealAll(t, db)
		storetest.Intact(t, db)
	})
}

// populations counts the rows that both versions have.
func populations(t *testing.T, db *store.DB) (rows []int) {
	t.Helper()
	for _, table := range []string{"organizations", "users", "service_accounts", "device_requests", "token_families", "used_tokens", "token_events"} {
		rows = append(rows, count(t, db, table, "1 = 1"))
	}
	return rows
}

// roleRights are the lines "role right" of all tenants' roles.
func roleRights(t *testing.T, db *store.DB) (lines []string) {
	t.Helper()
	rows, err := db.SQL().QueryContext(t.Context(), "SELECT role_id, right_name FROM role_rights WHERE org_id <> '"+string(tenants.SystemOrgID)+"' ORDER BY role_id, right_name")
	ok(t, err)
	defer rows.Close()
	for rows.Next() {
		var role, right string
		ok(t, rows.Scan(&role, &right))
		lines = append(lines, role+" "+right)
	}
	ok(t, rows.Err())
	return lines
}
