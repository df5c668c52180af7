package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"causeway/internal/journal"
	"causeway/internal/upkeep"
	"causeway/tenants"
)

// Upkeep is the store of package upkeep.
func (d *DB) Upkeep() UpkeepStore { return upkeepStore{d} }

// UpkeepStore is all of it.
type UpkeepStore interface {
	upkeep.CleanStore
	upkeep.SealStore
}

type upkeepStore struct{ *DB }

func (s upkeepStore) ForgetCells(ctx context.Context, unseen time.Duration) (int64, error) {
	return cellStore(s).ForgetCells(ctx, unseen)
}

// purge says which rows of a table may go. It is read twice: to choose among the
// rows of a batch, and again by the statement that removes them, so that a row
// that came back to life in between stays.
type purge struct {
	table string
	daily bool
	// keys is the primary key, or a unique index by which rows that belong
	// together are neighbours. The last of them is a number where number says so.
	keys   []string
	number bool
	// over is the condition on a row r, with as many parameters as args gives. What
	// it asks of another table is one value: EXISTS may be answered by reading all
	// of it at once.
	over string
	args func(b upkeep.Before) []any
	// within bounds the walk to rows b, where what is beyond is known to stay.
	within string
	// young are the keys of rows that are too young to be over, from the first up to
	// the second: the walk leaps over them. Nil where a key says nothing of a row's age.
	young func(b upkeep.Before) (first, end string)
}

// futureSessions is how far a session's id may lie in the future to be one of a young
// session: more than clocks differ by and a run takes, and so little that hardly an
// id of those that older versions made, by chance, is taken for one; they wait.
const futureSessions = 24 * time.Hour

// The order matters where one table's rows hold another's: used tokens go before
// their family.
var purges = []purge{
	{
		// Also decided ones, until then: the app may still ask what became of it.
		table: "device_requests", keys: []string{"org_id", "id"},
		over: "r.expires_at < ?",
		args: func(b upkeep.Before) []any { return []any{micros(b.Devices)} },
	},
	{
		// A token whose session is gone opens nothing, as one whose session ended.
		table: "sessions", keys: []string{"id"},
		over: "(r.ended_at > 0 AND r.ended_at < ? OR r.expires_at < ? OR r.last_used < ?)",
		args: func(b upkeep.Before) []any {
			return []any{micros(b.SessionsOver), micros(b.SessionsOver), micros(b.SessionsUsed)}
		},
		// Nearly all there are, of a table that grows at this end while it is walked.
		young: func(b upkeep.Before) (string, string) {
			// Of the border's own millisecond some are old.
			return string(tenants.FirstSessionID(b.SessionsOver.Add(time.Millisecond))), string(tenants.FirstSessionID(b.Now.Add(futureSessions)))
		},
	},
	{
		// Of a live family the last two stay, however old: they decide whether a
		// client that lost an answer may ask again.
		table: "used_tokens", daily: true, keys: []string{"org_id", "family_id", "generation"}, number: true,
		over: `COALESCE((SELECT f.revoked_at > 0 AND f.revoked_at < ? OR r.used_at < ? AND r.generation < f.generation - 2
			FROM token_families f WHERE f.org_id = r.org_id AND f.id = r.family_id), false)`,
		args: func(b upkeep.Before) []any { return []any{micros(b.Revoked), micros(b.Used)} },
	},
	{
		// Never with used tokens: a family may have so many that they would all go
		// in one long transaction.
		table: "token_families", daily: true, keys: []string{"org_id", "id"},
		over: `r.revoked_at > 0 AND r.revoked_at < ?
			AND (SELECT u.generation FROM used_tokens u WHERE u.org_id = r.org_id AND u.family_id = r.id LIMIT 1) IS NULL`,
		args: func(b upkeep.Before) []any { return []any{micros(b.Revoked)} },
	},
	{
		table: "login_failures", keys: []string{"org_id", "user_id", "source"},
		over: "r.last_at < ? AND r.locked_until < ?",
		args: func(b upkeep.Before) []any { return []any{micros(b.Failures), micros(b.Failures)} },
	},
	{
		table: "tasks", daily: true, keys: []string{"org_id", "id"},
		over: "r.ended_at > 0 AND r.ended_at < ?",
		args: func(b upkeep.Before) []any { return []any{micros(b.Tasks)} },
	},
	{
		// Of one whose end its instance has still to be told, the row is the message.
		table: "instance_accounts", daily: true, keys: []string{"org_id", "id"},
		over: "r.ended_at > 0 AND r.ended_at < ? AND r.hook_state <> 'pending'",
		args: func(b upkeep.Before) []any { return []any{micros(b.Accounts)} },
	},
	{
		table: "assertions", keys: []string{"site_id", "id"},
		over: "r.until < ?",
		args: func(b upkeep.Before) []any { return []any{micros(b.Assertions)} },
	},
	sealed(journal.TokenEvents),
	sealed(journal.Refusals),
}

// sealed are the events up to the border that the journal has.
func sealed(l journal.Log) purge {
	within := "id <= COALESCE((SELECT s.purged FROM seals s WHERE s.log = '" + string(l) + "'), 0)"
	return purge{
		table: string(l), keys: []string{"id"}, number: true,
		over: "r." + within, within: "b." + within, args: func(upkeep.Before) []any { return nil },
	}
}

func (s upkeepStore) Tables() []upkeep.Table {
	return convert(purges, func(p purge) upkeep.Table { return upkeep.Table{Name: p.table, Daily: p.daily} })
}

// Sweep reads first and removes what it found in a transaction of its own, by
// key: what is locked is what goes, and for as long as that takes.
func (s upkeepStore) Sweep(ctx context.Context, table string, b upkeep.Before, after upkeep.Cursor, limit int) (upkeep.Swept, error) {
	i := slices.IndexFunc(purges, func(p purge) bool { return p.table == table })
	if i < 0 {
		return upkeep.Swept{}, fmt.Errorf("store: nothing is ever removed from %s", table)
	}
	p := purges[i]
	if after != nil && len(after) != len(p.keys) {
		return upkeep.Swept{}, fmt.Errorf("store: a cursor of %d parts for %s", len(after), table)
	}
	after, until := p.span(b, after)
	looked, dead, err := s.look(ctx, p, b, after, until, limit)
	if err != nil {
		return upkeep.Swept{}, err
	}
	swept := upkeep.Swept{}
	switch {
	case len(looked) == limit:
		swept.Next = looked[limit-1]
	case until != "":
		swept.Next = upkeep.Cursor{until} // where span leaps
	}
	if len(dead) > 0 {
		swept.Removed, err = s.remove(ctx, p, b, dead)
	}
	return swept, err
}

// span is where a walk that stands at after goes on, and the key before which it
// stops to leap over what is young; empty where it goes on to the table's end.
func (p purge) span(b upkeep.Before, after upkeep.Cursor) (from upkeep.Cursor, until string) {
	if p.young == nil {
		return after, ""
	}
	switch first, end := p.young(b); {
	case after == nil || after[0] < first:
		return after, first
	case after[0] < end:
		return upkeep.Cursor{end}, ""
	}
	return after, ""
}

// look reads the keys of the next rows, and which of them are over.
func (s upkeepStore) look(ctx context.Context, p purge, b upkeep.Before, after upkeep.Cursor, until string, limit int) (looked, dead []upkeep.Cursor, err error) {
	query, args, err := p.look(b, after, until, limit)
	if err != nil {
		return nil, nil, err
	}
	rows, err := s.on(ctx, s.read).db.Raw(query, args...).Rows()
	if err != nil {
		return nil, nil, fault(err)
	}
	defer rows.Close()
	for rows.Next() {
		key, over := make(upkeep.Cursor, len(p.keys)), false
		into := []any{&over}
		for i := range key {
			into = append(into, &key[i])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, nil, fault(err)
		}
		looked = append(looked, key)
		if over {
			dead = append(dead, key)
		}
	}
	return looked, dead, fault(rows.Err())
}

// look is the query. The limit is written out: a planner who does not know it
// expects a tenth of the table and would sort all of it.
func (p purge) look(b upkeep.Before, after upkeep.Cursor, until string, limit int) (string, []any, error) {
	keys := strings.Join(p.keys, ", ")
	args := p.args(b)
	var where []string
	if p.within != "" {
		where = append(where, p.within)
	}
	if after != nil {
		key, err := p.values(after)
		if err != nil {
			return "", nil, err
		}
		where = append(where, "(b."+strings.Join(p.keys, ", b.")+") > ("+strings.Repeat("?, ", len(key)-1)+"?)")
		args = append(args, key...)
	}
	if until != "" {
		where, args = append(where, "b."+p.keys[0]+" < ?"), append(args, until)
	}
	from := p.table + " b"
	if len(where) > 0 {
		from += " WHERE " + strings.Join(where, " AND ")
	}
	return "SELECT " + p.over + ", " + keys + " FROM (SELECT * FROM " + from +
		" ORDER BY b." + strings.Join(p.keys, ", b.") + " LIMIT " + strconv.Itoa(limit) + ") r ORDER BY " + keys, args, nil
}

// values are the parameters that a cursor stands for.
func (p purge) values(c upkeep.Cursor) ([]any, error) {
	out := make([]any, len(c))
	for i, v := range c {
		out[i] = v
	}
	if p.number {
		n, err := strconv.ParseInt(c[len(c)-1], 10, 64)
		if err != nil {
			return nil, err
		}
		out[len(c)-1] = n
	}
	return out, nil
}

// remove is the statement that removes rows by key. The keys are a JSON array: one
// parameter and one plan, whatever their number.
func (p purge) remove(k kind) string {
	columns := make([]string, len(p.keys))
	for i := range columns {
		if columns[i] = "v.value->>" + strconv.Itoa(i); k == postgres && p.number && i == len(columns)-1 {
			columns[i] = "(" + columns[i] + ")::bigint"
		}
	}
	row, key := "(r."+strings.Join(p.keys, ", r.")+")", strings.Join(columns, ", ")
	if k == sqlite {
		return "DELETE FROM " + p.table + " AS r WHERE " + row + " IN (SELECT " + key + " FROM json_each(?) v) AND " + p.over
	}
	// Each key is looked up by itself, however large the planner takes the table
	// for, and a row that somebody holds is left for another time: the clean-up
	// waits for nobody, so it is part of no deadlock.
	return "DELETE FROM " + p.table + " WHERE ctid = ANY (ARRAY (SELECT f.ctid FROM json_array_elements(?::json) v CROSS JOIN LATERAL (" +
		"SELECT r.ctid FROM " + p.table + " r WHERE " + row + " = (" + key + ") AND " + p.over + " LIMIT 1 FOR UPDATE SKIP LOCKED) f))"
}

func (s upkeepStore) remove(ctx context.Context, p purge, b upkeep.Before, dead []upkeep.Cursor) (n int64, err error) {
	list := make([][]any, 0, len(dead))
	for _, c := range dead {
		key, err := p.values(c)
		if err != nil {
			return 0, err
		}
		list = append(list, key)
	}
	keys, err := json.Marshal(list)
	if err != nil {
		return 0, err
	}
	err = s.inTx(Background(ctx), func(t *tx) (err error) {
		n, err = t.exec(p.remove(s.kind), append([]any{string(keys)}, p.args(b)...)...)
		return err
	})
	return n, err
}
