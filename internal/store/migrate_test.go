package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
)

func TestMigrate_R14_UpDownUp(t *testing.T) {
	t.Parallel()
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		url := storetest.EmptyURL(t, kind)
		db := storetest.Open(t, url)
		if err := db.CheckSchema(t.Context()); !errors.Is(err, store.ErrSchemaOlder) {
			t.Errorf("an empty database: %v", err)
		}
		status, err := db.MigrationStatus(t.Context())
		ok(t, err)
		if len(status) == 0 || !status[0].AppliedAt.IsZero() {
			t.Errorf("an empty database: %+v", status)
		}
		ok(t, db.Migrate(t.Context()))
		first := describe(t, db)
		ok(t, db.MigrateTo(t.Context(), 0))
		if left := describe(t, db); left != "" {
			t.Errorf("down leaves\n%s", left)
		}
		ok(t, db.Migrate(t.Context()))
		ok(t, db.Migrate(t.Context())) // again is fine
		if again := describe(t, db); again != first {
			t.Errorf("up, down, up gives\n%s\nnot\n%s", again, first)
		}
		ok(t, db.CheckSchema(t.Context()))
		status, err = db.MigrationStatus(t.Context())
		ok(t, err)
		for _, m := range status {
			if m.AppliedAt.IsZero() {
				t.Errorf("%+v is not applied", m)
			}
		}
		newTenant(t, db, "Own") // and it works
	})
}

func TestMigrate_R14_ManyProcessesAtOnce(t *testing.T) {
	t.Parallel()
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		url := storetest.EmptyURL(t, kind)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				db, err := store.Open(context.Background(), store.Config{URL: url, MaxConns: 2})
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close()
				if err := db.Migrate(context.Background()); err != nil {
					t.Error(err)
				}
				if err := db.CheckSchema(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestMigrate_R14_NewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		url := storetest.URL(t, kind)
		db := storetest.Open(t, url)
		applied := "1"
		if db.OnPostgres() {
			applied = "true"
		}
		_, err := db.SQL().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, " + applied + ")")
		ok(t, err)
		for name, err := range map[string]error{
			"Migrate": db.Migrate(t.Context()), "MigrateTo": db.MigrateTo(t.Context(), 0), "CheckSchema": db.CheckSchema(t.Context()),
			"Open": func() error {
				_, err := store.Open(t.Context(), store.Config{URL: url})
				return err
			}(),
		} {
			if !errors.Is(err, store.ErrSchemaNewer) || !strings.Contains(err.Error(), "version 9000") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// The two databases have the same tables, columns, nullability and indexes.
func TestMigrations_TheSameOnBothDatabases(t *testing.T) {
	t.Parallel()
	lite, pg := storetest.New(t, storetest.SQLite), storetest.New(t, storetest.Postgres)
	if a, b := describe(t, lite), describe(t, pg); a != b {
		t.Errorf("SQLite:\n%s\n\nPostgreSQL:\n%s", a, b)
	}
}

// Every table of a tenant has the organization in front of its key or of an index.
// Only the seals read the events, in the order of their ids.
func TestMigrations_R6_KeysBeginWithTheOrganization(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		schema := describe(t, db)
		for _, table := range tables {
			if table == "token_events" || !strings.Contains(schema, table+".org_id ") {
				continue
			}
			if !regexp.MustCompile(`(?m)^index ` + table + ` .*\(org_id`).MatchString(schema) {
				t.Errorf("no index of %s begins with org_id", table)
			}
		}
	})
}

var describing = map[bool][]string{
	false: {
		`SELECT m.name || '.' || c.name || ' ' || CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN 'not null' ELSE 'null' END
			FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'`,
		`SELECT 'index ' || m.name || ' unique=' || i."unique" || ' partial=' || i.partial || ' (' ||
				(SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')'
			FROM sqlite_master m, pragma_index_list(m.name) i WHERE m.type = 'table'`,
		// A key of one integer column is the table itself.
		`SELECT 'index ' || m.name || ' unique=1 partial=0 (' || c.name || ')'
			FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.pk = 1 AND c.type = 'INTEGER'`,
		`SELECT 'references ' || m.name || ' -> ' || f."table" || ' on delete ' || lower(f.on_delete) FROM sqlite_master m, pragma_foreign_key_list(m.name) f
			WHERE m.type = 'table' GROUP BY m.name, f.id`,
	},
	true: {
		`SELECT table_name || '.' || column_name || ' ' || CASE is_nullable WHEN 'NO' THEN 'not null' ELSE 'null' END
			FROM information_schema.columns WHERE table_schema = 'public'`,
		`SELECT 'index ' || t.relname || ' unique=' || i.indisunique::int || ' partial=' || (i.indpred IS NOT NULL)::int || ' (' ||
				(SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(i.indkey::int[]) WITH ORDINALITY k(att, n)
					JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.att) || ')'
			FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace s ON s.oid = t.relnamespace WHERE s.nspname = 'public'`,
		`SELECT 'references ' || c.conrelid::regclass || ' -> ' || c.confrelid::regclass || ' on delete ' ||
				CASE c.confdeltype WHEN 'c' THEN 'cascade' ELSE 'no action' END FROM pg_constraint c WHERE c.contype = 'f'`,
	},
}

// describe tells tables, columns and indexes in words that both databases share.
func describe(t *testing.T, db *store.DB) string {
	t.Helper()
	var lines []string
	for _, query := range describing[db.OnPostgres()] {
		rows, err := db.SQL().Query(query)
		ok(t, err)
		for rows.Next() {
			var line string
			ok(t, rows.Scan(&line))
			if !strings.Contains(line, "goose") && !strings.Contains(line, "sqlite_") {
				lines = append(lines, line)
			}
		}
		ok(t, rows.Err())
		ok(t, rows.Close())
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, url := range []string{
		"", "mysql://x", "sqlite:", "sqlite://", "sqlite://" + dir + "/x.db?mode=memory", "sqlite://" + dir + "/missing/x.db",
		"postgres://u:secretword@127.0.0.1:1/x", "postgres://u:secretword@127.0.0.1:notaport/x",
	} {
		db, err := store.Open(t.Context(), store.Config{URL: url})
		if err == nil {
			t.Errorf("%q was opened", url)
			ok(t, db.Close())
		} else if strings.Contains(err.Error(), "secretword") {
			t.Errorf("the error holds the password: %v", err)
		}
	}

	t.Run("a relative path, ours alone", func(t *testing.T) {
		t.Parallel()
		wd, err := os.Getwd()
		ok(t, err)
		name := fmt.Sprintf("test-%s.db", newID[string]())
		db, err := store.Open(t.Context(), store.Config{URL: "sqlite://" + name})
		ok(t, err)
		t.Cleanup(func() {
			for _, suffix := range []string{"", "-wal", "-shm", ".migrate"} {
				_ = os.Remove(wd + "/" + name + suffix)
			}
		})
		ok(t, db.Migrate(t.Context()))
		for _, suffix := range []string{"", "-wal", "-shm", ".migrate"} {
			info, err := os.Stat(name + suffix)
			ok(t, err)
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", name+suffix, info.Mode())
			}
		}
		var journalMode string
		var synchronous, foreignKeys int
		ok(t, db.SQL().QueryRow("PRAGMA journal_mode").Scan(&journalMode))
		ok(t, db.SQL().QueryRow("PRAGMA synchronous").Scan(&synchronous))
		ok(t, db.SQL().QueryRow("PRAGMA foreign_keys").Scan(&foreignKeys))
		if journalMode != "wal" || synchronous != 2 || foreignKeys != 1 {
			t.Errorf("journal_mode %s, synchronous %d, foreign_keys %d", journalMode, synchronous, foreignKeys)
		}
		ok(t, db.Close())
	})
}
