package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/watermark"
	"causeway/tenants"
)

// Watermark is a small database of its own, away from the site's: what of it is lost
// with the site's proves nothing.
type Watermark struct {
	db     *sql.DB
	kind   kind
	id     string // that this process knows
	former []string

	written, failed, waited atomic.Int64 // waited in nanoseconds
}

// Marking is what the marks of this process have come to.
type Marking struct {
	Written, Failed int64         // transactions that were marked, and that were not done for want of a mark
	Waited          time.Duration // for all of them
}

// Marking counts since the watermark was opened.
func (w *Watermark) Marking() Marking {
	return Marking{Written: w.written.Load(), Failed: w.failed.Load(), Waited: time.Duration(w.waited.Load())}
}

// watermarkTables are the same on both databases.
var watermarkTables = []string{
	"CREATE TABLE IF NOT EXISTS causeway_watermark (one INTEGER PRIMARY KEY, id TEXT NOT NULL, former TEXT NOT NULL)",
	"CREATE TABLE IF NOT EXISTS causeway_watermark_families (id TEXT PRIMARY KEY, generation BIGINT NOT NULL)",
	"CREATE TABLE IF NOT EXISTS causeway_watermark_changes (scope TEXT PRIMARY KEY, seq BIGINT NOT NULL)",
}

var (
	// ErrWatermark is a site whose watermark is another than the configured one.
	ErrWatermark = errors.New("the site's watermark is not the one of database.watermark")
	// ErrWatermarkUsed is a watermark that has been begun, here or elsewhere.
	ErrWatermarkUsed = errors.New("the watermark is in use")
)

// OpenWatermark connects to a watermark by a URL as in [Config].
func OpenWatermark(ctx context.Context, url string) (w *Watermark, err error) {
	w = &Watermark{}
	switch scheme, path, _ := strings.Cut(url, "://"); scheme {
	case "sqlite":
		w.kind = sqlite
		if err := privateFile(path); err != nil {
			return nil, fmt.Errorf("opening the watermark: %w", err)
		}
		w.db, err = sqlitePool(path, 1, nil, "journal_mode(WAL)", "synchronous(FULL)")
	default:
		w.kind = postgres
		cfg, err := pgx.ParseConfig(url)
		if err != nil {
			return nil, err // pgx leaves the password out
		}
		if cfg.ConnectTimeout == 0 {
			cfg.ConnectTimeout = 5 * time.Second
		}
		for k, v := range postgresDefaults {
			if _, ok := cfg.RuntimeParams[k]; !ok {
				cfg.RuntimeParams[k] = v
			}
		}
		w.db = stdlib.OpenDB(*cfg)
		w.db.SetMaxOpenConns(4)
		w.db.SetMaxIdleConns(4)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the watermark: %w", err)
	}
	if err := w.read(ctx); err != nil {
		return nil, errors.Join(err, w.db.Close())
	}
	return w, nil
}

// Close ends its connections.
func (w *Watermark) Close() error { return w.db.Close() }

// ID is that of the watermark; "" if it was not begun, or ended.
func (w *Watermark) ID() string { return w.id }

// Ended reports whether it was the watermark with this id until it was ended.
func (w *Watermark) Ended(id string) bool { return w.id == "" && slices.Contains(w.former, id) }

func (w *Watermark) read(ctx context.Context) error {
	var n int
	tables := map[kind]string{
		sqlite:   "SELECT count(*) FROM sqlite_master WHERE name = 'causeway_watermark'",
		postgres: "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'causeway_watermark'",
	}[w.kind]
	err := w.db.QueryRowContext(ctx, tables).Scan(&n)
	if err == nil && n > 0 {
		var former string
		err = w.db.QueryRowContext(ctx, "SELECT COALESCE(max(id), ''), COALESCE(max(former), '') FROM causeway_watermark").Scan(&w.id, &former)
		w.former = strings.Fields(former)
	}
	if err != nil {
		return fmt.Errorf("reading the watermark: %w", err)
	}
	return nil
}

// Begin makes an empty watermark of it. One that was begun is ErrWatermarkUsed.
func (w *Watermark) Begin(ctx context.Context) error {
	id := tenants.NewID()
	err := w.inTx(ctx, func(tx *sql.Tx) error {
		for _, table := range watermarkTables {
			if _, err := tx.ExecContext(ctx, table); err != nil {
				return err
			}
		}
		for _, table := range []string{"causeway_watermark_families", "causeway_watermark_changes"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table); err != nil { // #nosec G202 -- constants
				return err
			}
		}
		made, err := tx.ExecContext(ctx, numbered(w.kind, `INSERT INTO causeway_watermark (one, id, former) VALUES (1, ?, '')
			ON CONFLICT (one) DO UPDATE SET id = excluded.id, former = '' WHERE causeway_watermark.id = ''`), id)
		if err != nil {
			return err
		}
		if n, err := made.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrWatermarkUsed, err)
		}
		return nil
	})
	if err == nil {
		w.id = id
	}
	return err
}

// End has it prove nothing any more.
func (w *Watermark) End(ctx context.Context) error {
	if w.id == "" {
		return nil
	}
	return w.inTx(ctx, func(tx *sql.Tx) error {
		return w.exec(ctx, tx, "UPDATE causeway_watermark SET id = '', former = former || ' ' || id WHERE one = 1")
	})
}

// Fence gives the watermark another id and returns all that is kept, if it is the one
// that is named; else nil. Cells that still run on a database that was given up write
// no mark, and so renew no token, from now on.
func (w *Watermark) Fence(ctx context.Context, named string) (*watermark.Marks, error) {
	if w.id == "" {
		return nil, nil
	}
	m := &watermark.Marks{ID: tenants.NewID(), Rotated: map[string]int64{}, Changed: map[watermark.Scope]int64{}}
	err := w.inTx(ctx, func(tx *sql.Tx) error {
		lock := map[kind]string{postgres: " FOR UPDATE"}[w.kind]
		var id, former string
		if err := tx.QueryRowContext(ctx, "SELECT id, former FROM causeway_watermark WHERE one = 1"+lock).Scan(&id, &former); err != nil { // #nosec G202 -- constants
			return err
		}
		if m.Former = append(strings.Fields(former), id); !m.Covers(named) {
			m = nil
			return nil
		}
		if err := w.exec(ctx, tx, "UPDATE causeway_watermark SET id = ?, former = ? WHERE one = 1", m.ID, strings.Join(m.Former, " ")); err != nil {
			return err
		}
		return readMarks(ctx, tx, m)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the watermark: %w", err)
	}
	if m != nil {
		w.id = m.ID
	}
	return m, nil
}

func readMarks(ctx context.Context, tx *sql.Tx, m *watermark.Marks) error {
	var n int64
	if err := each(ctx, tx, "SELECT id, generation FROM causeway_watermark_families", func(scan func(...any) error) error {
		var id string
		err := scan(&id, &n)
		m.Rotated[id] = n
		return err
	}); err != nil {
		return err
	}
	return each(ctx, tx, "SELECT scope, seq FROM causeway_watermark_changes", func(scan func(...any) error) error {
		var s watermark.Scope
		err := scan(&s, &n)
		m.Changed[s] = n
		return err
	})
}

// markWithin bounds how long a transaction of the site waits for a mark.
const markWithin = 5 * time.Second

// note makes marks durable. It fails when the watermark was fenced.
func (w *Watermark) note(ctx context.Context, rotations []watermark.Rotation, changes []watermark.Change) error {
	if len(rotations)+len(changes) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, markWithin)
	defer cancel()
	begun := time.Now()
	id, err := w.write(ctx, rotations, changes)
	if err == nil && id != w.id {
		err = errors.New("the site was restored from a backup: this cell works on a database that was given up")
	}
	w.waited.Add(int64(time.Since(begun)))
	if err != nil {
		w.failed.Add(1)
		// The cause is told as text: as an error it would be taken for one of the
		// site's database.
		return problem.Wrap(fmt.Errorf("writing the watermark: %v", err), problem.Unavailable, "The site's watermark cannot be written now, so nothing is changed.")
	}
	w.written.Add(1)
	return nil
}

// markAtOnce is one way to a watermark that is on another machine. Nobody can give it
// another id before the marks are durable.
const markAtOnce = `WITH held AS (
	SELECT id FROM causeway_watermark WHERE one = 1 FOR SHARE
), f AS (
	INSERT INTO causeway_watermark_families AS kept (id, generation)
	SELECT m.id, max(m.generation) FROM unnest($2::text[], $3::bigint[]) AS m (id, generation) JOIN held ON held.id = $1 GROUP BY 1 ORDER BY 1
	ON CONFLICT (id) DO UPDATE SET generation = excluded.generation WHERE excluded.generation > kept.generation
), c AS (
	INSERT INTO causeway_watermark_changes AS kept (scope, seq)
	SELECT m.scope, max(m.seq) FROM unnest($4::text[], $5::bigint[]) AS m (scope, seq) JOIN held ON held.id = $1 GROUP BY 1 ORDER BY 1
	ON CONFLICT (scope) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > kept.seq
)
SELECT id FROM held`

// write makes marks durable, unless the watermark has another id than this process
// knows, and returns the one that it has.
func (w *Watermark) write(ctx context.Context, rotations []watermark.Rotation, changes []watermark.Change) (id string, err error) {
	if w.kind == postgres {
		families, scopes := make([]string, len(rotations)), make([]string, len(changes))
		generations, seqs := make([]int64, len(rotations)), make([]int64, len(changes))
		for i, r := range rotations {
			families[i], generations[i] = r.Family, r.Generation
		}
		for i, c := range changes {
			scopes[i], seqs[i] = string(c.Scope), c.Seq
		}
		err = w.db.QueryRowContext(ctx, markAtOnce, w.id, families, generations, scopes, seqs).Scan(&id)
		return id, err
	}
	err = w.inTx(ctx, func(tx *sql.Tx) error { // which lets nobody else write
		if err := tx.QueryRowContext(ctx, "SELECT id FROM causeway_watermark WHERE one = 1").Scan(&id); err != nil || id != w.id {
			return err
		}
		for _, c := range changes {
			if err := w.exec(ctx, tx, `INSERT INTO causeway_watermark_changes (scope, seq) VALUES (?, ?)
				ON CONFLICT (scope) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > causeway_watermark_changes.seq`, string(c.Scope), c.Seq); err != nil {
				return err
			}
		}
		if len(rotations) == 0 {
			return nil
		}
		var args []any
		for _, r := range rotations {
			args = append(args, r.Family, r.Generation)
		}
		return w.exec(ctx, tx, `INSERT INTO causeway_watermark_families (id, generation) VALUES (?, ?)`+strings.Repeat(", (?, ?)", len(rotations)-1)+`
			ON CONFLICT (id) DO UPDATE SET generation = excluded.generation WHERE excluded.generation > causeway_watermark_families.generation`, args...)
	})
	return id, err
}

// Reachable asks for a sign of life.
func (w *Watermark) Reachable(ctx context.Context) error { return w.db.PingContext(ctx) }

func (w *Watermark) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (w *Watermark) exec(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, numbered(w.kind, query), args...)
	return err
}

// numbered writes parameters as the database wants them.
func numbered(k kind, query string) string {
	if k != postgres {
		return query
	}
	var b strings.Builder
	for n, part := range strings.Split(query, "?") {
		if n > 0 {
			fmt.Fprintf(&b, "$%d", n)
		}
		b.WriteString(part)
	}
	return b.String()
}

// NamedWatermark is the id of the watermark that the site's journal says is kept; ""
// is none.
func (d *DB) NamedWatermark(ctx context.Context) (string, error) {
	id, _, err := namedWatermark(ctx, d.read.sql)
	return id, err
}

// WatermarkEntry is what the journal is told when a watermark is begun or ended. All
// such entries have one subject, by which the last of them is found.
func WatermarkEntry(at time.Time, by journal.Actor, action journal.Action, id string) journal.Entry {
	return journal.Entry{
		At: at, Org: string(tenants.SystemOrgID), Actor: by, Action: action,
		Subject: journal.Subject{Kind: journal.KindWatermark, ID: journal.KindWatermark, Name: id},
	}
}

func namedWatermark(ctx context.Context, conn rowQuerier) (id string, seq int64, err error) {
	var text string
	err = conn.QueryRowContext(ctx, "SELECT seq, entry FROM journal WHERE subject_id = '"+journal.KindWatermark+"' AND org_id = '"+string(tenants.SystemOrgID)+
		"' ORDER BY seq DESC LIMIT 1").Scan(&seq, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", 0, nil
	}
	var e journal.Entry
	if err == nil {
		err = json.Unmarshal([]byte(text), &e)
	}
	if err == nil && e.Action == journal.WatermarkBegan {
		id = e.Subject.Name
	}
	return id, seq, fault(err)
}

// KeepMarks has every rotation and change marked from now on if the journal names a
// watermark; anything else than that one is ErrWatermark. w is nil where none is
// configured. It tells whether marks are kept.
func (d *DB) KeepMarks(ctx context.Context, w *Watermark) (bool, error) {
	named, begun, err := namedWatermark(ctx, d.read.sql)
	switch {
	case err != nil || named == "":
		return false, err
	case w == nil:
		return false, fmt.Errorf("%w: the site keeps one, and none is configured; if it is lost, run causeway watermark end --lost", ErrWatermark)
	case w.id != named:
		return false, fmt.Errorf("%w: the site's is %s, the configured one is %q; if it is lost, run causeway watermark end --lost", ErrWatermark, named, w.id)
	}
	d.marks = w
	return true, d.markRestore(ctx, begun)
}

// markRestore makes up for a restore that had no watermark, and so ended everything
// without a mark.
func (d *DB) markRestore(ctx context.Context, begun int64) error {
	var seq int64
	err := d.read.sql.QueryRowContext(ctx, "SELECT COALESCE(max(j.seq), 0) FROM site s JOIN journal j ON j.subject_id = s.id WHERE j.org_id = '"+
		string(tenants.SystemOrgID)+"' AND j.action = '"+string(journal.SiteRestored)+"'").Scan(&seq)
	if err != nil || seq < begun {
		return fault(err)
	}
	return d.marks.note(ctx, nil, []watermark.Change{{Scope: watermark.Everything, Seq: seq}})
}

// markRotations marks what is about to commit.
func (d *DB) markRotations(ctx context.Context, all iter.Seq[opening]) error {
	if d.marks == nil {
		return nil
	}
	var list []watermark.Rotation
	for o := range all {
		if o.did {
			list = append(list, watermark.Rotation{Family: o.session.Family, Generation: o.generation})
		}
	}
	return d.marks.note(ctx, list, nil)
}
