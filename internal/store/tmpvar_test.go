package store_test

import (
	"database/sql"
	"os"
	"testing"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
)

func BenchmarkVariant(b *testing.B) {
	for _, v := range []struct{ name, sql string }{
		{"base", ""},
		{"no-session-fk", "ALTER TABLE sessions DROP CONSTRAINT sessions_org_id_fkey"},
		{"no-fk", "ALTER TABLE sessions DROP CONSTRAINT sessions_org_id_fkey; ALTER TABLE used_tokens DROP CONSTRAINT used_tokens_org_id_family_id_fkey"},
		{"no-event-index", "DROP INDEX token_events_org"},
		{"no-gen-index", "DROP INDEX used_tokens_generation"},
		{"none", "ALTER TABLE sessions DROP CONSTRAINT sessions_org_id_fkey; ALTER TABLE used_tokens DROP CONSTRAINT used_tokens_org_id_family_id_fkey; DROP INDEX token_events_org; DROP INDEX used_tokens_generation; drop index sessions_live"},
	} {
		b.Run(v.name, func(b *testing.B) {
			u := storetest.URL(b, storetest.Postgres)
			if v.sql != "" {
				p, _ := sql.Open("pgx", u)
				if _, err := p.Exec(v.sql); err != nil {
					b.Fatal(err)
				}
				p.Close()
			}
			db, err := store.Open(b.Context(), store.Config{URL: u, MaxConns: envInt("CONNS")})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			benchRotate(b, db, 16)
		})
	}
}
func envInt(s string) int { if os.Getenv(s) == "32" { return 32 }; return 16 }
