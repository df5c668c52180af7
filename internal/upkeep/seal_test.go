package upkeep

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/journal"
)

// fakeLeases are those of the database, in fake time.
type fakeLeases struct {
	mu    sync.Mutex
	until map[string]time.Time
	rows  map[string]Lease
}

func (f *fakeLeases) Hold(_ context.Context, l Lease) (Held, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rows == nil {
		f.rows, f.until = map[string]Lease{}, map[string]time.Time{}
	}
	if has, ok := f.rows[l.Name]; ok && has.Holder != l.Holder && !f.until[l.Name].Before(time.Now()) {
		return Held{Now: time.Now()}, nil
	}
	l.Progress = f.rows[l.Name].Progress
	f.rows[l.Name], f.until[l.Name] = l, time.Now().Add(l.For)
	return Held{Ours: true, Progress: l.Progress, Now: time.Now()}, nil
}

func (f *fakeLeases) Keep(_ context.Context, l Lease) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rows[l.Name].Holder != l.Holder {
		return false, nil
	}
	f.rows[l.Name], f.until[l.Name] = l, time.Now().Add(l.For).Add(-time.Nanosecond)
	return true, nil
}

// fakeLog is a log whose rows are committed some time after their ids were drawn.
type fakeLog struct {
	fakeLeases
	mu    sync.Mutex
	rows  map[journal.Log][]fakeRow
	last  map[journal.Log]int64
	seals []journal.Seal
}

type fakeRow struct {
	id      int64
	visible time.Time
}

func newFakeLog() *fakeLog {
	return &fakeLog{rows: map[journal.Log][]fakeRow{}, last: map[journal.Log]int64{}}
}

// add draws the next id for a row that is committed after d.
func (f *fakeLog) add(l journal.Log, d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows[l] = append(f.rows[l], fakeRow{int64(len(f.rows[l]) + 1), time.Now().Add(d)})
}

func (f *fakeLog) Newest(_ context.Context, l journal.Log) (newest int64, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rows[l] {
		if !r.visible.After(time.Now()) {
			newest = max(newest, r.id)
		}
	}
	return newest, nil
}

func (f *fakeLog) Sealed(_ context.Context, l journal.Log) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last[l], nil
}

func (f *fakeLog) Events(_ context.Context, l journal.Log, after, upTo int64, limit int) (all []journal.Event, _ error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rows[l] {
		if r.id > after && r.id <= upTo && len(all) < limit && !r.visible.After(time.Now()) {
			all = append(all, journal.Event{ID: r.id, JSON: fmt.Append(nil, r.id)})
		}
	}
	return all, nil
}

func (f *fakeLog) Seal(_ context.Context, s journal.Seal, after int64, _ journal.Entry) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last[s.Log] != after {
		return false, nil
	}
	f.last[s.Log] = s.Last
	f.seals = append(f.seals, s)
	return true, nil
}

func (f *fakeLog) done() []journal.Seal {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seals)
}

func runSealer(f *fakeLog, holder string) (stop func()) {
	s := &Sealer{Store: f, Holder: holder, Every: time.Minute, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	return running(s.Run)
}

func running(run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// Rows that are committed after rows with higher ids are sealed all the same:
// nothing is passed over, whatever order they come in.
func TestSealer_MissesNothingThatComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeLog()
		defer runSealer(f, "a")()
		defer runSealer(f, "b")()
		const rows = 2000
		for i := range rows {
			late := time.Duration(0)
			if i%7 == 0 {
				late = time.Duration(i%30) * time.Second
			}
			f.add(journal.TokenEvents, late)
			f.add(journal.Refusals, late/2)
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(5 * time.Minute)
		for _, l := range journal.Logs() {
			counted, last := 0, int64(0)
			for _, s := range f.done() {
				if s.Log != l {
					continue
				}
				if s.First != last+1 {
					t.Errorf("%s: a seal begins at %d, the one before ended at %d", l, s.First, last)
				}
				counted, last = counted+s.Count, s.Last
			}
			if counted != rows || last != rows {
				t.Errorf("%s: %d of %d events are sealed, up to %d", l, counted, rows, last)
			}
		}
	})
}

func TestSealer_SealsInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeLog()
		for range 2*sealBatch + 1 {
			f.add(journal.TokenEvents, 0)
		}
		defer runSealer(f, "a")()
		time.Sleep(4 * time.Minute)
		var counts []int
		for _, s := range f.done() {
			counts = append(counts, s.Count)
		}
		if !slices.Equal(counts, []int{sealBatch, sealBatch, 1}) {
			t.Errorf("seals of %v", counts)
		}
	})
}

// The cell that seals dies: another one does, as soon as the lease is over.
func TestSealer_AnotherCellGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeLog()
		// The dead one holds the lease and never gives it back.
		if held, _ := f.Hold(t.Context(), Lease{Name: "seal", Holder: "dead", For: sealLease}); !held.Ours {
			t.Fatal("not held")
		}
		f.add(journal.Refusals, 0)
		defer runSealer(f, "b")()
		time.Sleep(sealLease - time.Minute)
		if len(f.done()) != 0 {
			t.Error("two cells seal at once")
		}
		time.Sleep(5 * time.Minute)
		if len(f.done()) != 1 {
			t.Errorf("%d seals", len(f.done()))
		}
	})
}
