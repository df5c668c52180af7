package store_test

import (
	"fmt"
	"testing"
	"time"

	"causeway/internal/relay"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
)

// A cursor never goes back, and what is put aside is never lost or doubled, whichever
// of two cells that both believe they deliver comes first.
func TestRelay_R13_TwoCells(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		q, sink := db.Relay(), "sink"
		at := func(seq int64) relay.Progress { return relay.Progress{Seq: seq, Error: "why"} }
		check := func(want string) {
			t.Helper()
			p, err := q.Begin(t.Context(), sink)
			ok(t, err)
			var dead []relay.Dead
			ok(t, db.Webhooks().View(t.Context(), func(r relay.Reader) error {
				dead, err = r.DeadLetters(relay.WebhookID(sink), 10)
				return err
			}))
			got := fmt.Sprint("at ", p.Seq, " ", p.Error)
			for _, d := range dead {
				got += fmt.Sprintf(" [%d-%d %d %v]", d.First, d.Last, d.Rows, d.Again)
			}
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		bury := func(before, seq int64) { ok(t, q.Bury(t.Context(), sink, before, at(seq), now, "why")) }
		check("at 0 ")
		ok(t, q.Save(t.Context(), sink, at(5)))
		ok(t, q.Save(t.Context(), sink, at(4))) // of a cell that is behind
		check("at 5 why")
		bury(5, 6)
		bury(5, 6) // the other cell, which saw the same
		bury(6, 8) // 7 was not meant for it
		check("at 8 why [6-8 2 false]")
		ok(t, q.Save(t.Context(), sink, at(9)))
		bury(9, 10)
		check("at 10 why [6-8 2 false] [10-10 1 false]")

		ok(t, db.Webhooks().InTx(t.Context(), func(tx relay.Tx) error {
			n, err := tx.Redeliver(relay.WebhookID(sink))
			if n != 3 {
				t.Errorf("%d rows", n)
			}
			return err
		}))
		bury(10, 11) // does not join what is being delivered
		ok(t, q.Resent(t.Context(), sink, 6, 6))
		check("at 11 why [7-8 1 true] [10-10 1 true] [11-11 1 false]")
		ok(t, q.Refused(t.Context(), sink, 7, "again"))
		again, err := q.Again(t.Context(), sink)
		if err != nil || len(again) != 1 || again[0].First != 10 || !again[0].At.Equal(now.Truncate(time.Microsecond)) {
			t.Errorf("%+v, %v", again, err)
		}
		ok(t, q.Resent(t.Context(), sink, 10, 10))
		ok(t, q.Resent(t.Context(), sink, 10, 10))
		check("at 11 why [7-8 1 false] [11-11 1 false]")
	})
}
