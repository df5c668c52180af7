package gateway_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"causeway/internal/benchtest"
	"causeway/internal/store/storetest"
)

// bareRotation rotates tokens as fast as the database alone lets one.
type bareRotation struct {
	run    func(b *testing.B, d time.Duration) (n int)
	server int // process of the database, if it has one
}

// yardClients is how many work at once, at either side.
const yardClients = 16

func yardstick(b *testing.B, kind storetest.Kind) bareRotation {
	if kind == storetest.SQLite {
		return bareSQLite(b)
	}
	return barePostgres(b)
}

func yardDigest(client, generation int) []byte {
	d := sha256.Sum256(fmt.Appendf(nil, "%d/%d", client, generation))
	return d[:]
}

// barePostgres is one statement without a framework: replace the digest of one of
// 10,000 rows, and keep the old one.
func barePostgres(b *testing.B) bareRotation {
	ctx := context.Background()
	dsn := storetest.URL(b, storetest.Postgres)
	conns := make([]*pgx.Conn, yardClients)
	for i := range conns {
		var err error
		if conns[i], err = pgx.Connect(ctx, dsn); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conns[i].Close(ctx) })
	}
	must(b, second(conns[0].Exec(ctx, `CREATE TABLE yard (hash bytea PRIMARY KEY, account_id bigint NOT NULL, gen bigint NOT NULL, rotated_at timestamptz NOT NULL);
		CREATE TABLE yard_log (hash bytea PRIMARY KEY, account_id bigint NOT NULL, used_at timestamptz NOT NULL)`)))
	must(b, second(conns[0].CopyFrom(ctx, pgx.Identifier{"yard"}, []string{"hash", "account_id", "gen", "rotated_at"},
		pgx.CopyFromSlice(10_000, func(i int) ([]any, error) { return []any{yardDigest(i, 0), i, 0, time.Now()}, nil }))))
	must(b, second(conns[0].Exec(ctx, "VACUUM ANALYZE yard")))
	generations := make([]int, yardClients)
	var backend int
	must(b, conns[0].QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend))
	return bareRotation{server: benchtest.Parent(backend), run: func(b *testing.B, d time.Duration) int {
		return together(b, d, func(i int) error {
			var account, generation int64
			g := generations[i]
			generations[i]++
			return conns[i].QueryRow(ctx, `WITH u AS (
					UPDATE yard SET hash = $2, gen = gen + 1, rotated_at = $3 WHERE hash = $1 RETURNING account_id, gen
				), i AS (INSERT INTO yard_log SELECT $1, account_id, $3 FROM u) SELECT account_id, gen FROM u`,
				yardDigest(i, g), yardDigest(i, g+1), time.Now()).Scan(&account, &generation)
		})
	}}
}

// bareSQLite is one connection that replaces the digest of one of 10,000 rows by
// a prepared statement and waits for the disk each time.
func bareSQLite(b *testing.B) bareRotation {
	dsn := url.URL{Scheme: "file", Path: filepath.Join(b.TempDir(), "yard.db"), RawQuery: url.Values{
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)"}}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	must(b, err)
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	must(b, second(db.Exec("CREATE TABLE yard (hash BLOB PRIMARY KEY, account_id INTEGER, gen INTEGER) WITHOUT ROWID")))
	tx, err := db.Begin()
	must(b, err)
	for i := range 10_000 {
		must(b, second(tx.Exec("INSERT INTO yard VALUES (?, ?, 0)", yardDigest(i, 0), i)))
	}
	must(b, tx.Commit())
	rotate, err := db.Prepare("UPDATE yard SET hash = ?, gen = gen + 1 WHERE hash = ? RETURNING account_id, gen")
	must(b, err)
	generation := 0
	return bareRotation{run: func(b *testing.B, d time.Duration) int {
		n, start := 0, time.Now()
		for ; time.Since(start) < d; n++ {
			var account, g int64
			must(b, rotate.QueryRow(yardDigest(0, generation+1), yardDigest(0, generation)).Scan(&account, &g))
			generation++
		}
		return n
	}}
}

// together calls do by all clients at once for a while.
func together(b *testing.B, d time.Duration, do func(i int) error) (n int) {
	start := time.Now()
	counts, errs := make([]int, yardClients), make([]error, yardClients)
	var wait sync.WaitGroup
	for i := range yardClients {
		wait.Go(func() {
			for time.Since(start) < d && errs[i] == nil {
				errs[i] = do(i)
				counts[i]++
			}
		})
	}
	wait.Wait()
	for i := range counts {
		must(b, errs[i])
		n += counts[i]
	}
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }
