package backup_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/internal/backup"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
)

// sqlOn is a way to a database beside the store.
func sqlOn(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", url
	if file, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, dsn = "sqlite", "file:"+file
	}
	db, err := sql.Open(driver, dsn)
	ok(t, err)
	t.Cleanup(func() { ok(t, db.Close()) })
	return db
}

// A restore touches no database that holds anything, whoever's it is, and finds out
// while nobody else can write.
func TestBackup_R14_OnlyAnEmptyDatabaseIsFilled(t *testing.T) {
	keys := keysOf(t, 7)
	source := storetest.New(t, storetest.SQLite)
	newSite(t, source, keys)
	file, m := save(t, source, keys)
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		for name, tt := range map[string]struct {
			migrated bool
			put      string
			says     string
		}{
			"another program's table":  {false, "CREATE TABLE theirs (name text); INSERT INTO theirs VALUES ('x')", "not Causeway's"},
			"and one beside a schema":  {true, "CREATE TABLE theirs (name text); INSERT INTO theirs VALUES ('x')", "theirs"},
			"a cell was just starting": {true, "INSERT INTO organizations (id, name, name_folded, display_name, description, enabled, created_at) VALUES ('o', 'O', 'o', 'O', '', %, 1)", "a site"},
		} {
			url := storetest.EmptyURL(t, kind)
			if tt.migrated {
				url = storetest.URL(t, kind)
			}
			truth := map[storetest.Kind]string{storetest.SQLite: "1", storetest.Postgres: "true"}[kind]
			for _, query := range strings.Split(strings.ReplaceAll(tt.put, "%", truth), "; ") {
				_, err := sqlOn(t, url).Exec(query)
				ok(t, err)
			}
			_, err := backup.Restore(t.Context(), storetest.Open(t, url), file, restoring(keys))
			if !errors.Is(err, store.ErrNotEmpty) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: %v", name, err)
			}
			if strings.Contains(tt.put, "theirs") {
				var n int
				if err := sqlOn(t, url).QueryRow("SELECT count(*) FROM theirs").Scan(&n); err != nil || n != 1 {
					t.Errorf("%s: %d rows are left, %v", name, n, err)
				}
			}
		}
	})

	url := storetest.EmptyURL(t, storetest.SQLite)
	if err := storetest.Open(t, url).Fill(t.Context(), m.Schema+1, func(*store.Load) error { return nil }); !errors.Is(err, store.ErrSchemaNewer) {
		t.Errorf("a schema of tomorrow: %v", err)
	}
}

// What is restored is what was compared: a file that somebody writes to in between is
// refused, and nothing of it stays.
func TestBackup_R12_AFileThatChangesIsRefused(t *testing.T) {
	keys, others := keysOf(t, 7), keysOf(t, 8)
	db := storetest.New(t, storetest.SQLite)
	newSite(t, db, keys)
	file, _ := save(t, db, keys)
	forged := filepath.Join(t.TempDir(), "forged")
	_, err := backup.Write(t.Context(), db, forged, backup.Options{Keys: others, Now: time.Now})
	ok(t, err)
	text, err := os.ReadFile(forged)
	ok(t, err)
	o := restoring(keys)
	o.Now = func() time.Time { // asked when the file has been compared
		ok(t, os.WriteFile(file, text, 0o600))
		return time.Now()
	}
	copied := storetest.Open(t, storetest.EmptyURL(t, storetest.SQLite))
	if _, err := backup.Restore(t.Context(), copied, file, o); !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("a file that was changed: %v", err)
	}
	if err := copied.Empty(t.Context()); err != nil {
		t.Errorf("it leaves rows: %v", err)
	}
}

// A backup of the version before is restored and then migrated.
func TestBackup_R14_OfAnOlderSchema(t *testing.T) {
	keys := keysOf(t, 7)
	for from, to := range map[storetest.Kind]storetest.Kind{storetest.SQLite: storetest.Postgres, storetest.Postgres: storetest.SQLite} {
		t.Run(string(from), func(t *testing.T) {
			db := storetest.New(t, from)
			newSite(t, db, keys)
			newest, err := db.SchemaVersion(t.Context())
			ok(t, err)
			ok(t, db.MigrateTo(t.Context(), newest-1))
			file, m := save(t, db, keys)
			if m.Schema != newest-1 {
				t.Fatalf("the schema is %d", m.Schema)
			}
			copied := storetest.Open(t, storetest.EmptyURL(t, to))
			r, err := backup.Restore(t.Context(), copied, file, restoring(keys))
			ok(t, err)
			ok(t, copied.CheckSchema(t.Context()))
			if r.SigningKeys != 1 || len(r.Organizations) != 2 {
				t.Errorf("%+v", r)
			}
			storetest.Intact(t, copied)
			again, _ := save(t, copied, keys)
			if v, err := backup.Verify(t.Context(), again, t.TempDir(), nil); err != nil || !v.Journal.Intact {
				t.Errorf("%v, %+v", err, v.Journal.Faults)
			}
		})
	}
}
