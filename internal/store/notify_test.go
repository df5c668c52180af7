package store_test

import (
	"context"
	"testing"
	"time"

	"causeway/internal/store"
	"causeway/internal/store/storetest"
)

// listener is a cell that listens.
type listener struct {
	hints chan int64
	heard chan bool
}

func listen(t *testing.T, db *store.DB) *listener {
	l := &listener{hints: make(chan int64, 100), heard: make(chan bool, 100)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		db.Listen(ctx, func(seq int64) { l.hints <- seq }, func(on bool) { l.heard <- on })
	}()
	t.Cleanup(func() { cancel(); <-done })
	return l
}

func await[T comparable](t *testing.T, c <-chan T, want T) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case got := <-c:
			if got == want {
				return
			}
		case <-limit:
			t.Fatalf("never told %v", want)
		}
	}
}

func TestListen_R4_HearsOtherCellsAndComesBack(t *testing.T) {
	t.Parallel()
	url, hole := storetest.URL(t, storetest.Postgres), &blackhole{}
	open := func(url string) *store.DB {
		db, err := store.Open(t.Context(), store.Config{URL: url})
		ok(t, err)
		t.Cleanup(func() { db.Close() })
		return db
	}
	writer, cell, far := open(url), open(url), open(hole.open(t, url))
	far.SetListenQuiet(600 * time.Millisecond)
	near, apart := listen(t, cell), listen(t, far)
	await(t, near.heard, true)
	await(t, apart.heard, true)
	ok(t, writer.Notify(t.Context(), 7))
	await(t, near.hints, 7)
	await(t, apart.hints, 7)

	// Whoever reaches the database can say anything; only numbers are hints.
	for _, odd := range []string{"", "x", "1e3", "99999999999999999999"} {
		_, err := writer.SQL().Exec("SELECT pg_notify('causeway_journal', $1)", odd)
		ok(t, err)
	}
	ok(t, writer.Notify(t.Context(), 8))
	if got := <-near.hints; got != 8 {
		t.Errorf("hint %d of what is no number", got)
	}

	_, err := writer.SQL().Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()")
	ok(t, err)
	await(t, near.heard, false)
	hole.swallow.Store(true)
	await(t, near.heard, true)
	ok(t, writer.Notify(t.Context(), 9))
	await(t, near.hints, 9)
	await(t, apart.heard, false) // nobody said that the connection is gone
	hole.swallow.Store(false)
	await(t, apart.heard, true)
}

func TestListen_HasNothingToHearOnSQLite(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), store.Config{URL: storetest.URL(t, storetest.SQLite)})
	ok(t, err)
	defer db.Close()
	db.Listen(context.Background(), nil, nil)
	ok(t, db.Notify(t.Context(), 1))
}
