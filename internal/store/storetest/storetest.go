// Package storetest gives tests a migrated database of their own, on every
// database the gateway runs on.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"causeway/internal/store"
)

// Kind is a database to test on.
type Kind string

const (
	SQLite   Kind = "sqlite"
	Postgres Kind = "postgres"
)

// Env names the variable with the URL of a PostgreSQL superuser; `make test`
// starts a throw-away server and sets it.
const Env = "CAUSEWAY_TEST_POSTGRES"

// Each runs f once for each database, as the subtests "sqlite" and "postgres",
// with an empty migrated database each time.
func Each(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	EachKind(t, func(t *testing.T, kind Kind) { f(t, New(t, kind)) })
}

// EachKind is Each for tests that open the database themselves.
func EachKind(t *testing.T, f func(t *testing.T, kind Kind)) {
	t.Helper()
	for _, kind := range []Kind{SQLite, Postgres} {
		t.Run(string(kind), func(t *testing.T) { f(t, kind) })
	}
}

// New opens an empty migrated database that lives as long as the test.
func New(t testing.TB, kind Kind) *store.DB {
	t.Helper()
	return Open(t, URL(t, kind))
}

// Open opens a database (again) for as long as the test lives.
func Open(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), store.Config{URL: url, MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// URL makes an empty migrated database and returns where it is.
func URL(t testing.TB, kind Kind) string {
	t.Helper()
	if kind == SQLite {
		return sqliteCopy(t)
	}
	return postgresClone(t)
}

// Template makes a migrated database for Copy to begin with. It is left to the
// throw-away server. Only PostgreSQL needs one: a SQLite database is a file.
func Template() (url string, err error) {
	migrated, err := postgresTemplate()
	if err != nil {
		return "", err
	}
	name := "causeway_template_" + unique()
	if err := admin("CREATE DATABASE " + name + " TEMPLATE " + migrated + strategy()); err != nil {
		return "", err
	}
	return databaseURL(name)
}

// Copy makes a database that begins as one of Template's is, which nobody may have open.
func Copy(t testing.TB, template string) string {
	t.Helper()
	u, err := url.Parse(template)
	if err != nil {
		t.Fatal(err)
	}
	return createPostgres(t, strings.TrimPrefix(u.Path, "/"))
}

// EmptyURL makes a database without any table.
func EmptyURL(t testing.TB, kind Kind) string {
	t.Helper()
	if kind == SQLite {
		return "sqlite://" + filepath.Join(t.TempDir(), "causeway.db")
	}
	return createPostgres(t, "template0")
}

// sqliteTemplate is a migrated database file, made once per process.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "causeway-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "template.db")
	if err := migrate("sqlite://" + file); err != nil {
		return nil, err
	}
	return os.ReadFile(file) // the last Close has folded the WAL into it
})

func sqliteCopy(t testing.TB) string {
	t.Helper()
	template, err := sqliteTemplate()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "causeway.db")
	if err := os.WriteFile(file, template, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite://" + file
}

// postgresTemplate is a migrated database, made once per process and left to
// the throw-away server.
var postgresTemplate = sync.OnceValues(func() (string, error) {
	name := "causeway_template_" + unique()
	if err := admin("CREATE DATABASE " + name + " TEMPLATE template0"); err != nil {
		return "", err
	}
	u, err := databaseURL(name)
	if err != nil {
		return "", err
	}
	return name, migrate(u)
})

func postgresClone(t testing.TB) string {
	t.Helper()
	Need(t)
	template, err := postgresTemplate()
	if err != nil {
		t.Fatal(err)
	}
	return createPostgres(t, template)
}

// Need skips where a developer has no PostgreSQL. In CI that is a failure.
func Need(t testing.TB) {
	t.Helper()
	if os.Getenv(Env) != "" {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not set: in CI the suite runs on PostgreSQL too", Env)
	}
	t.Skipf("not run on PostgreSQL: %s is not set (run the tests by: go run ./internal/tools/pgrun -- go test ./...)", Env)
}

func createPostgres(t testing.TB, template string) string {
	t.Helper()
	Need(t)
	name := "causeway_test_" + unique()
	if err := admin("CREATE DATABASE " + name + " TEMPLATE " + template + strategy()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := admin("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	u, err := databaseURL(name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// strategy copies a template's files where the server has the choice and writes
// nothing through to the disk: half the work of sending them through the log.
var strategy = sync.OnceValue(func() string {
	if admin(`DO $$ BEGIN IF current_setting('server_version_num')::int < 150000 OR current_setting('fsync')::bool
		THEN RAISE EXCEPTION 'no'; END IF; END $$`) != nil {
		return ""
	}
	return " STRATEGY file_copy"
})

func unique() string { return strings.ToLower(rand.Text()[:16]) }

// databaseURL is the superuser's URL with another database.
func databaseURL(name string) (string, error) {
	u, err := url.Parse(os.Getenv(Env))
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "", fmt.Errorf("%s must be a postgres:// URL", Env)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// admin runs a statement as superuser. Its one connection is shared: creating
// databases one after another is as fast as the server does it anyway.
func admin(statement string) error {
	db, err := adminDB()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err = db.ExecContext(ctx, statement)
	return err
}

var adminDB = sync.OnceValues(func() (*sql.DB, error) {
	db, err := sql.Open("pgx", os.Getenv(Env))
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
})

func migrate(url string) error {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{URL: url, MaxConns: 2})
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	return db.Close()
}
