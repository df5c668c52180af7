package upkeep

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
)

// failing is a store where one table cannot be swept from a cursor, and one log
// not be read.
type failing struct {
	fakeTables
	fault error
}

func (f *failing) Sweep(ctx context.Context, table string, b Before, after Cursor, limit int) (Swept, error) {
	if table == "often" && after != nil {
		return Swept{}, f.fault
	}
	return f.fakeTables.Sweep(ctx, table, b, after, limit)
}

func (f *failing) AllowPurge(_ context.Context, l journal.Log, _, _ time.Time) error {
	if l == journal.TokenEvents {
		return errors.New("no seal can be read")
	}
	return nil
}

// A cursor that another version left, for a key that it had, costs one turn, and
// the other tables none.
func TestCleaner_ACursorThatCannotBeReadIsForgotten(t *testing.T) {
	for name, tt := range map[string]struct {
		fault error
		again int // walks from the beginning at the next turn
	}{
		"not a key":            {errors.New("a cursor of 1 parts"), 1},
		"the database is away": {problem.New(problem.Unavailable, "away"), 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &failing{fakeTables: fakeTables{rows: map[string]int{"often": 10, "daily": 10}}, fault: tt.fault}
			f.Hold(t.Context(), Lease{Name: "clean-up", Holder: "old", For: -time.Second})
			f.Keep(t.Context(), Lease{Name: "clean-up", Holder: "old", For: -time.Second, Progress: `{"often":{"after":["x"]}}`})
			c := newCleaner(&f.fakeTables, "new")
			c.Store = f
			if err := c.Turn(t.Context()); !errors.Is(err, tt.fault) {
				t.Errorf("%s: %v", name, err)
			}
			if f.removed["daily"] != 5 {
				t.Errorf("%s: of the table after it %d rows were removed", name, f.removed["daily"])
			}
			_ = c.Turn(t.Context())
			if f.begun["often"] != tt.again {
				t.Errorf("%s: it began anew %d times, want %d", name, f.begun["often"], tt.again)
			}
		})
	}
}

// brokenLog cannot be read for token events.
type brokenLog struct{ *fakeLog }

func (b brokenLog) Newest(ctx context.Context, l journal.Log) (int64, error) {
	if l == journal.TokenEvents {
		return 0, errors.New("broken")
	}
	return b.fakeLog.Newest(ctx, l)
}

func TestSealer_OneLogThatFailsLeavesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLog()
		s := &Sealer{Store: brokenLog{l}, Holder: "a", Now: time.Now}
		l.add(journal.Refusals, 0)
		for range 3 {
			if err := s.Turn(t.Context()); err == nil {
				t.Error("the failure is not told")
			}
			time.Sleep(settled)
		}
		if len(l.done()) != 1 {
			t.Errorf("%d seals of refusals", len(l.done()))
		}
	})
}
