package store_test

import (
	"context"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

func TestSmoke(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		now := time.Now().UTC().Truncate(time.Microsecond)
		org := tenants.OrgID(tenants.NewID())
		role := tenants.RoleID(tenants.NewID())
		if err := db.Tenants().InTx(ctx, func(tx tenants.Tx) error {
			if err := tx.CreateOrganization(tenants.Organization{ID: org, Name: "Acme", Enabled: true, CreatedAt: now}); err != nil {
				return err
			}
			if err := tx.CreateRole(tenants.Role{ID: role, Org: org, Name: "Deployer", Rights: []tenants.Right{"b", "a"}}); err != nil {
				return err
			}
			return tx.Record(journal.Entry{At: now, Org: string(org), Action: journal.OrganizationCreated})
		}); err != nil {
			t.Fatal(err)
		}
		acc := oauth.ClientID(tenants.NewID())
		fam := tenants.NewID()
		if err := db.OAuth().InTx(ctx, func(tx oauth.Tx) error {
			if err := tx.CreateServiceAccount(oauth.ServiceAccount{ID: acc, Org: org, Name: "app", Role: role, CreatedAt: now}); err != nil {
				return err
			}
			return tx.CreateFamily(oauth.Family{ID: fam, Org: org, Account: acc, Current: oauth.Digest("one"), CreatedAt: now})
		}); err != nil {
			t.Fatal(err)
		}
		sid := tenants.SessionID(tenants.NewID())
		ok, err := db.OAuth().Rotate(ctx, oauth.Rotation{Org: org, Family: fam, From: oauth.Digest("one"), To: oauth.Digest("two"), At: now, Source: "s", Session: oauth.Session{ID: sid, Kind: tenants.KindServiceAccount, Name: "app", Role: role, CreatedAt: now, ExpiresAt: now.Add(time.Hour), LastUsed: now}})
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		if err := db.OAuth().View(ctx, func(r oauth.Reader) error {
			a, err := r.ServiceAccount(org, acc, now)
			if err != nil {
				return err
			}
			t.Logf("%+v", a)
			s, err := r.Session(sid)
			if err != nil {
				return err
			}
			t.Logf("%+v", s)
			p, err := r.RefreshToken(oauth.Digest("one"))
			t.Logf("%+v", p)
			if err != nil {
				return err
			}
			l, n, err := r.ServiceAccounts(org, oauth.AccountQuery{Where: "status = ? AND name = ?", Args: []any{"ACTIVE", "app"}, SortBy: "status", Page: 1, PageSize: 10}, now)
			t.Logf("%+v %d", l, n)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := db.OAuth().Touch(ctx, map[tenants.SessionID]time.Time{sid: now.Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		if err := journal.Verify(ctx, db.Journal()); err != nil {
			t.Fatal(err)
		}
		t.Log(db.Statements(), db.BackgroundStatements())
	})
}
