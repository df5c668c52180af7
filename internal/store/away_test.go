package store_test

import (
	"sync/atomic"
	"testing"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// A rehearsal takes a database away from one process: connections that are open
// already serve no more, transactions neither, and nothing stays behind.
func TestAway_ADatabaseIsLostAndFound(t *testing.T) {
	t.Parallel()
	var away atomic.Bool
	db, err := store.Open(t.Context(), store.Config{URL: storetest.URL(t, storetest.SQLite), Away: away.Load})
	ok(t, err)
	defer db.Close()
	for name, f := range map[string]func() error{
		"a view": func() error {
			return db.Tenants().View(t.Context(), func(r tenants.Reader) error { _, err := r.EveryOrganizationLimits(); return err })
		},
		"a transaction": func() error {
			return db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error { return tx.EndSessions(tenants.SystemOrgID, now) })
		},
		"a ping": func() error { return db.Ping(t.Context()) },
	} {
		ok(t, f())
		away.Store(true)
		if err := f(); !problem.Has(err, problem.Unavailable) {
			t.Errorf("%s of a database that is away: %v", name, err)
		}
		away.Store(false)
		if err := f(); err != nil {
			t.Errorf("%s of a database that is back: %v", name, err)
		}
	}
}
