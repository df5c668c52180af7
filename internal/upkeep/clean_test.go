package upkeep

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/journal"
)

// fakeTables have rows by number; the odd ones are over. A row costs time, and
// nothing but that.
type fakeTables struct {
	fakeLeases
	mu      sync.Mutex
	rows    map[string]int
	perRow  time.Duration
	err     error
	busy    time.Duration
	largest int
	removed map[string]int
	looked  map[string]int
	begun   map[string]int // walks from the beginning
}

func (f *fakeTables) Tables() []Table { return []Table{{Name: "often"}, {Name: "daily", Daily: true}} }

func (f *fakeTables) Sweep(_ context.Context, table string, _ Before, after Cursor, limit int) (Swept, error) {
	s, cost, err := f.sweep(table, after, limit)
	time.Sleep(cost)
	return s, err
}

func (f *fakeTables) sweep(table string, after Cursor, limit int) (s Swept, cost time.Duration, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return Swept{}, 0, f.err
	}
	if f.removed == nil {
		f.removed, f.looked, f.begun = map[string]int{}, map[string]int{}, map[string]int{}
	}
	f.largest = max(f.largest, limit)
	from := 0
	if after == nil {
		f.begun[table]++
	} else {
		from, _ = strconv.Atoi(after[0])
	}
	to := min(from+limit, f.rows[table])
	for n := from + 1; n <= to; n++ {
		s.Removed += int64(n % 2)
	}
	f.removed[table] += int(s.Removed)
	f.looked[table] += to - from
	if to < f.rows[table] {
		s.Next = Cursor{strconv.Itoa(to)}
	}
	cost = time.Duration(to-from) * f.perRow
	f.busy += cost
	return s, cost, nil
}

// worked is for how long the database was busy.
func (f *fakeTables) worked() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.busy
}

func (f *fakeTables) AllowPurge(context.Context, journal.Log, time.Time, time.Time) error { return nil }

func (f *fakeTables) ForgetCells(context.Context, time.Duration) (int64, error) { return 0, nil }

func newCleaner(f *fakeTables, holder string) *Cleaner {
	return &Cleaner{Store: f, Holder: holder, Every: 10 * time.Minute, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

// Of the time that a clean-up takes the database works a two hundredth, in steps that
// nobody behind them notices.
func TestCleaner_R13_LeavesTheDatabaseToOthers(t *testing.T) {
	for _, perRow := range []time.Duration{time.Microsecond, 10 * time.Microsecond, 200 * time.Microsecond} {
		t.Run(perRow.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeTables{rows: map[string]int{"often": 10_000, "daily": 10}, perRow: perRow}
				c := newCleaner(f, "a")
				start := time.Now()
				if err := c.Turn(t.Context()); err != nil {
					t.Fatal(err)
				}
				if share := float64(f.busy) / float64(time.Since(start)); share > 0.0051 {
					t.Errorf("the database was busy for %.2f %% of the time", share*100)
				}
				if f.largest > largest || f.removed["often"] != 5_000 {
					t.Errorf("batches of %d, %d removed", f.largest, f.removed["often"])
				}
			})
		})
	}
}

// Of what a busy site makes in ten minutes nothing is left for ever: a run that takes
// longer than it should rests less and less, down to a tenth of the time.
func TestCleaner_R13_RestsLessTheLongerItTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeTables{rows: map[string]int{"often": 100_000_000}, perRow: 10 * time.Microsecond}
		c := newCleaner(f, "a")
		var shares []float64
		stop := running(func(ctx context.Context) { _ = c.Turn(ctx) })
		for range 7 {
			before := f.worked()
			time.Sleep(c.Every)
			shares = append(shares, float64(f.worked()-before)/float64(c.Every))
		}
		stop()
		for i, want := range []float64{1. / 200, 1. / 100, 1. / 50, 1. / 25, 1. / 13, 1. / 10, 1. / 10} {
			if shares[i] < want*.95 || shares[i] > want*1.05 {
				t.Errorf("the database was busy for %.4f of turn %d, want %.4f", shares[i], i, want)
			}
		}
	})
}

// Rows that are slow to remove are removed fewer at a time.
func TestCleaner_R13_SmallerStepsWhenTheyAreSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeTables{rows: map[string]int{"often": 10_000}, perRow: time.Millisecond}
		if err := newCleaner(f, "a").Turn(t.Context()); err != nil {
			t.Fatal(err)
		}
		if f.largest > smallest {
			t.Errorf("a batch of %d, each row a millisecond", f.largest)
		}
	})
}

// What is broken off goes on where it was, on another cell: of each row one look.
func TestCleaner_GoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rows = 200_000
		f := &fakeTables{rows: map[string]int{"often": rows}, perRow: 10 * time.Microsecond}
		turn := func(holder string, d time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			return newCleaner(f, holder).Turn(ctx)
		}
		if err := turn("a", 5*time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("stopped: %v", err)
		}
		half := f.looked["often"]
		if half == 0 || half == rows {
			t.Fatalf("%d of %d rows before the stop", half, rows)
		}
		if err := turn("b", time.Hour); err != nil {
			t.Fatal(err)
		}
		if f.looked["often"] != rows || f.begun["often"] != 1 {
			t.Errorf("%d looks at %d rows, begun %d times", f.looked["often"], rows, f.begun["often"])
		}
	})
}

// A cell that dies keeps the others out for a minute; what it had done until it
// last said so is not done again.
func TestCleaner_ADeadCellGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeTables{rows: map[string]int{"often": 10}}
		progress := `{"often":{"after":["8"],"done":"0001-01-01T00:00:00Z"}}`
		f.Hold(t.Context(), Lease{Name: "clean-up", Holder: "dead", For: cleanLease})
		f.Keep(t.Context(), Lease{Name: "clean-up", Holder: "dead", For: cleanLease, Progress: progress})
		c := newCleaner(f, "b")
		if err := c.Turn(t.Context()); err != nil || f.looked["often"] != 0 {
			t.Errorf("beside another cell: %v, %d looks", err, f.looked["often"])
		}
		time.Sleep(cleanLease + time.Second)
		if err := c.Turn(t.Context()); err != nil || f.looked["often"] != 2 {
			t.Errorf("afterwards: %v, %d looks", err, f.looked["often"])
		}
	})
}

func TestCleaner_LongTablesOnceADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeTables{rows: map[string]int{"often": 10, "daily": 10}}
		stops := []func(){running(newCleaner(f, "a").Run), running(newCleaner(f, "b").Run), running(newCleaner(f, "c").Run)}
		time.Sleep(48*time.Hour + 30*time.Minute)
		for _, stop := range stops {
			stop()
		}
		if n := f.begun["daily"]; n != 3 {
			t.Errorf("the long table was walked %d times in two days", n)
		}
		if n := f.begun["often"]; n < 200 || n > 370 {
			t.Errorf("the short one %d times", n)
		}
	})
}

// A lease that was lost ends the run: another cell goes on with it.
func TestCleaner_StopsWhenItHasLostTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeTables{rows: map[string]int{"often": 1_000_000}, perRow: 10 * time.Microsecond}
		c := newCleaner(f, "a")
		c.Purged = func(string, int64) {
			f.fakeLeases.mu.Lock()
			defer f.fakeLeases.mu.Unlock()
			f.fakeLeases.rows["clean-up"] = Lease{Holder: "b"}
		}
		if err := c.Turn(t.Context()); !errors.Is(err, errLost) {
			t.Errorf("%v", err)
		}
		if f.looked["often"] == 1_000_000 {
			t.Error("it went on")
		}
	})
}
