package store

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// channel is what cells of a site notify each other on.
const channel = "causeway_journal"

const (
	// listenQuiet is how long a listener hears nothing before it asks whether the
	// connection still stands, and waits a sixth of it for an answer: swallowed
	// packets end no reading.
	listenQuiet = 30 * time.Second
	// listenTimeout bounds how long a listener takes to connect.
	listenTimeout = 5 * time.Second
	// relisten is the mean pause before another attempt; polls do the work meanwhile.
	relisten = 2 * time.Second
)

// Notify tells who listens that the journal has reached seq. It comes after the
// commit and on a connection of its own: in the transaction it would make commits
// wait for each other, and fail with a full queue. On SQLite there is nobody to
// tell.
func (d *DB) Notify(ctx context.Context, seq int64) error {
	if d.kind != postgres {
		return nil
	}
	ctx, cancel := d.within(Background(ctx))
	defer cancel()
	_, err := d.write.ExecContext(ctx, "SELECT pg_notify($1, $2)", channel, strconv.FormatInt(seq, 10))
	return fault(err)
}

// Listen calls hint with what other cells notify, until ctx ends, over a
// connection of its own that it makes again when it breaks. heard, unless nil, is
// told each time whether it listens now. On SQLite it returns at once.
func (d *DB) Listen(ctx context.Context, hint func(seq int64), heard func(bool)) {
	if d.listening == nil {
		return
	}
	if heard == nil {
		heard = func(bool) {}
	}
	failing := false
	for ctx.Err() == nil {
		err := d.listen(ctx, hint, func() { heard(true); failing = false })
		heard(false)
		if ctx.Err() == nil && !failing {
			d.log.Info("the database does not notify; the journal is polled", "err", fault(err))
			failing = true
		}
		select {
		case <-ctx.Done():
		case <-time.After(relisten/2 + rand.N(relisten)): // not all cells at once
		}
	}
}

func (d *DB) listen(ctx context.Context, hint func(int64), up func()) error {
	limited, cancel := context.WithTimeout(ctx, listenTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(limited, d.listening)
	if err != nil {
		return err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(last) // it is of no use any more
	}()
	if _, err := conn.Exec(limited, "LISTEN "+channel); err != nil {
		return err
	}
	up()
	for {
		if err := d.next(ctx, conn, hint); err != nil {
			return err
		}
	}
}

// next takes one notification, or finds that there is none and the connection good.
func (d *DB) next(ctx context.Context, conn *pgx.Conn, hint func(int64)) error {
	quiet, cancel := context.WithTimeout(ctx, d.quiet)
	defer cancel()
	n, err := conn.WaitForNotification(quiet)
	if err != nil {
		if quiet.Err() == nil || ctx.Err() != nil || conn.IsClosed() {
			return err
		}
		check, cancel := context.WithTimeout(ctx, d.quiet/6)
		defer cancel()
		return conn.Ping(check)
	}
	// Whoever has the site's database can notify; a number is asked for, not trusted.
	if seq, err := strconv.ParseInt(n.Payload, 10, 64); err == nil {
		hint(seq)
	}
	return nil
}
