package fiql_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/glebarez/go-sqlite"
	_ "github.com/jackc/pgx/v5/stdlib"
)

// row is one row of the table under test; a selector without an entry is NULL.
type row map[string]string

// TestCompiledLikeMatched asks a real database and Match the same random
// questions about the same random rows.
func TestCompiledLikeMatched(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		compare(t, "sqlite", filepath.Join(t.TempDir(), "t.db"), func(sql string) string { return sql })
	})
	t.Run("postgres", func(t *testing.T) {
		url := os.Getenv("CAUSEWAY_TEST_POSTGRES")
		if url == "" {
			if os.Getenv("CI") != "" {
				t.Fatal("CAUSEWAY_TEST_POSTGRES is not set")
			}
			t.Skip("CAUSEWAY_TEST_POSTGRES is not set to a database's URL")
		}
		compare(t, "pgx", url, numbered)
	})
}

func compare(t *testing.T, driver, source string, rebind func(string) string) {
	const rows, questions = 120, 1000
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)

	table, all := fill(t, driver, source, rebind, r, rows)
	found := 0
	for range questions {
		filter := randomFilter(r, 3)
		bound, err := fields.Bind(mustParse(t, filter))
		if err != nil {
			t.Fatalf("%q: %v", filter, err)
		}
		condition, args := bound.SQL()
		got := table.ask(t, rebind("SELECT n FROM fiql_t WHERE "+condition+" ORDER BY n"), args)
		var want []int
		for n, row := range all {
			if bound.Match(func(s string) (string, bool) { v, ok := row[s]; return v, ok }) {
				want = append(want, n)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q\n%s %#v\nthe database found %v\nMatch found        %v", filter, condition, args, got, want)
		}
		found += len(got)
	}
	// A generator whose filters match nothing, or everything, proves nothing.
	if share := float64(found) / (rows * questions); share < 0.1 || share > 0.9 {
		t.Errorf("the filters matched %.0f %% of the rows", 100*share)
	}
}

type table struct{ *sql.Conn }

func fill(t *testing.T, driver, source string, rebind func(string) string, r *rand.Rand, rows int) (table, []row) {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	conn, err := db.Conn(context.Background()) // one, for the temporary table
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	tb := table{conn}
	tb.exec(t, `CREATE TEMPORARY TABLE fiql_t (n integer PRIMARY KEY, t_name text, t_owner varchar(99), t_id text, t_size integer, t_at bigint, t_enabled boolean)`)
	all := make([]row, rows)
	for n := range all {
		all[n] = randomRow(r)
		tb.exec(t, rebind(`INSERT INTO fiql_t VALUES (?,?,?,?,?,?,?)`), append([]any{n}, all[n].columns(t)...)...)
	}
	return tb, all
}

func (tb table) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := tb.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s %#v: %v", query, args, err)
	}
}

func (tb table) ask(t *testing.T, query string, args []any) (found []int) {
	t.Helper()
	rows, err := tb.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s %#v: %v", query, args, err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		found = append(found, n)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s %#v: %v", query, args, err)
	}
	return found
}

// numbered turns ? into PostgreSQL's $1, $2, …; our SQL has no other use for ?.
func numbered(sql string) string {
	var b strings.Builder
	for i, part := range strings.Split(sql, "?") {
		if i > 0 {
			b.WriteString("$" + strconv.Itoa(i))
		}
		b.WriteString(part)
	}
	return b.String()
}

// The pools are small so that rows and filters meet, and full of what LIKE,
// GLOB, quoting, case folding and character counting trip over.
var (
	letters = []string{"a", "A", "b", "B", "é", "É", "ß", "🜁", "%", "_", `\`, "[", "]", "?", "'", "!", " ", ":", "^", "-"}
	ids     = []string{uuid1, "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"}
	epoch   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

func text(r *rand.Rand, longest int) string {
	var b strings.Builder
	for range r.IntN(longest + 1) {
		b.WriteString(letters[min(r.IntN(len(letters)), r.IntN(len(letters)))])
	}
	return b.String()
}

func instant(r *rand.Rand, layout string) string {
	return epoch.Add(time.Duration(r.IntN(8)) * 500 * time.Microsecond).Format(layout)
}

const micros = "2006-01-02T15:04:05.000000Z07:00"

func randomRow(r *rand.Rand) row {
	all := row{
		"name":       text(r, 6),
		"owner.name": text(r, 3),
		"id":         ids[r.IntN(len(ids))],
		"size":       strconv.Itoa(r.IntN(7) - 3),
		"timestamp":  instant(r, micros),
		"enabled":    strconv.FormatBool(r.IntN(2) == 0),
	}
	for selector := range all {
		if r.IntN(6) == 0 {
			delete(all, selector)
		}
	}
	return all
}

func (w row) columns(t *testing.T) []any {
	t.Helper()
	out := make([]any, 0, 6)
	for _, selector := range []string{"name", "owner.name", "id", "size", "timestamp", "enabled"} {
		var v any
		if s, ok := w[selector]; ok {
			var err error
			switch v = s; selector {
			case "size":
				v, err = strconv.Atoi(s)
			case "enabled":
				v, err = strconv.ParseBool(s)
			case "timestamp":
				var at time.Time
				at, err = time.Parse(time.RFC3339, s)
				v = at.UnixMicro()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, v)
	}
	return out
}

func randomFilter(r *rand.Rand, depth int) string {
	if depth > 0 && r.IntN(2) == 0 {
		sep := []string{";", ","}[r.IntN(2)]
		return "(" + randomFilter(r, depth-1) + sep + randomFilter(r, depth-1) + ")"
	}
	equality := []string{"==", "!="}[r.IntN(2)]
	ordered := []string{"==", "!=", "=gt=", "=ge=", "=lt=", "=le="}[r.IntN(6)]
	switch r.IntN(7) {
	case 0:
		return "id" + equality + []string{"", "urn:vcloud:role:"}[r.IntN(2)] + ids[r.IntN(len(ids))]
	case 1:
		return "size" + ordered + []string{strconv.Itoa(r.IntN(7) - 3), "9223372036854775807", "-9223372036854775808"}[min(r.IntN(9), 2)/2*r.IntN(3)]
	case 2:
		return "timestamp" + ordered + instant(r, []string{micros, "2006-01-02T15:04:05.000Z07:00", time.RFC3339}[r.IntN(3)])
	case 3:
		return "enabled" + equality + strconv.FormatBool(r.IntN(2) == 0)
	case 4:
		return "owner.name" + equality + text(r, 2)
	default:
		shapes := []string{"%s", "%s*", "*%s", "*%s*", "%s*%s", "%s*%s*%s", "*", "%s**%s*"}
		shape := shapes[r.IntN(len(shapes))]
		parts := make([]any, strings.Count(shape, "%s"))
		for i := range parts {
			parts[i] = text(r, 2)
		}
		return "name" + equality + fmt.Sprintf(shape, parts...)
	}
}
