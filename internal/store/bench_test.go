package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// BenchmarkRotate keeps 16 families rotating at once, as performance.md's
// yardsticks do. Run it with pgrun -durable, or PostgreSQL does not fsync.
func BenchmarkRotate(b *testing.B) {
	for _, kind := range []storetest.Kind{storetest.SQLite, storetest.Postgres} {
		for _, clients := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/%d", kind, clients), func(b *testing.B) {
				db, err := store.Open(b.Context(), store.Config{URL: storetest.URL(b, kind)})
				if err != nil {
					b.Fatal(err)
				}
				defer db.Close()
				benchRotate(b, db, clients)
			})
		}
	}
}

func benchRotate(b *testing.B, db *store.DB, clients int) {
	ctx := context.Background()
	now := time.Now()
	org, role := tenants.OrgID(tenants.NewID()), tenants.RoleID(tenants.NewID())
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	must(db.Tenants().InTx(ctx, func(tx tenants.Tx) error {
		if err := tx.CreateOrganization(tenants.Organization{ID: org, Name: "Acme", Enabled: true}); err != nil {
			return err
		}
		return tx.CreateRole(tenants.Role{ID: role, Org: org, Name: "Deployer"})
	}))
	digest := func(family string, g int) oauth.Digest {
		d := sha256.Sum256(fmt.Appendf(nil, "%s/%d", family, g))
		return d[:]
	}
	families := make([]string, clients)
	for i := range families {
		families[i] = tenants.NewID()
		must(db.OAuth().InTx(ctx, func(tx oauth.Tx) error {
			a := oauth.ClientID(tenants.NewID())
			if err := tx.CreateServiceAccount(oauth.ServiceAccount{ID: a, Org: org, Name: families[i], Role: role}); err != nil {
				return err
			}
			return tx.CreateFamily(oauth.Family{ID: families[i], Org: org, Account: a, Current: digest(families[i], 0)})
		}))
	}
	var next atomic.Int64
	b.ResetTimer()
	done := make(chan error, clients)
	for _, family := range families {
		go func() {
			for g := 0; next.Add(1) <= int64(b.N); g++ {
				_, ok, err := db.OAuth().Rotate(ctx, oauth.Rotation{
					Org: org, From: digest(family, g), To: digest(family, g+1), At: now, Source: "192.0.2.1",
					Session: tenants.NewSessionID(now), Lifetime: time.Hour,
				})
				if err == nil && !ok {
					err = fmt.Errorf("generation %d did not rotate", g)
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range families {
		must(<-done)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rotations/s")
}
