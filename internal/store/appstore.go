package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"causeway/oauth"
	"causeway/oauth/apps"
	"causeway/services"
)

// Services is the store of package services.
func (d *DB) Services() services.Store { return serviceStore{d} }

// Apps is the store of package apps.
func (d *DB) Apps() apps.Store { return appStore{d} }

type (
	serviceStore struct{ *DB }
	appStore     struct{ *DB }
)

var (
	_ apps.Reader = (*reader)(nil)
	_ apps.Tx     = (*tx)(nil)
)

func (s serviceStore) View(ctx context.Context, f func(services.Reader) error) error {
	return s.view(ctx, func(r *reader) error { return f(r) })
}

func (s serviceStore) InTx(ctx context.Context, f func(services.Tx) error) error {
	return s.inTx(ctx, func(t *tx) error { return f(t) })
}

func (s appStore) View(ctx context.Context, f func(apps.Reader) error) error {
	return s.view(ctx, func(r *reader) error { return f(r) })
}

func (s appStore) InTx(ctx context.Context, f func(apps.Tx) error) error {
	return s.inTx(ctx, func(t *tx) error { return f(t) })
}

// NoteIssued is one statement for all who wait: an app's token needs nothing else of
// the database.
func (s appStore) NoteIssued(ctx context.Context, e oauth.Event) error {
	return s.retry(ctx, func() error {
		_, err := s.notes.ask(ctx, e)
		return err
	})
}

type noteAnswer = answer[struct{}]

// noteTogether opens the group of events that are noted.
func (d *DB) noteTogether() {
	pause := time.Duration(0)
	if d.kind == sqlite { // whose commits are this process's own work
		pause = 5 * time.Millisecond
	}
	d.notes = (&group[oauth.Event, struct{}]{pool: d.write.sql, pause: pause, do: func(conn *sql.Conn, jobs []job[oauth.Event, struct{}]) []noteAnswer {
		ctx, cancel := d.whole(jobs[0].ctx)
		defer cancel()
		events := make([]eventRow, len(jobs))
		for i, j := range jobs {
			events[i] = newEventRow(j.what)
		}
		err := d.addEvents(ctx, counted{conn, d.stats}, events)
		answers := make([]noteAnswer, len(jobs))
		for i := range answers {
			answers[i].err = err
		}
		return answers
	}}).start(d)
}

// addEvents takes a JSON array, see [addRefusals].
var addEvents = map[kind]string{
	sqlite: `INSERT INTO token_events (at, org_id, account_id, kind, source, detail)
		SELECT value ->> 'at', value ->> 'org_id', value ->> 'account_id', value ->> 'kind', value ->> 'source', value ->> 'detail' FROM json_each(?)`,
	postgres: `INSERT INTO token_events (at, org_id, account_id, kind, source, detail)
		SELECT at, org_id, account_id, kind, source, detail
		FROM json_to_recordset(CAST(? AS json)) AS r (at bigint, org_id text, account_id text, kind text, source text, detail text)`,
}

func (d *DB) addEvents(ctx context.Context, conn counted, events []eventRow) error {
	list, err := json.Marshal(events)
	if err != nil {
		return err
	}
	return d.write.session(ctx, conn).Exec(addEvents[d.kind], string(list)).Error
}
