package cells

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeStore is the table, in fake time.
type fakeStore struct {
	mu   sync.Mutex
	rows map[string]Cell
	seen map[string]time.Time
	err  error
}

func newFakeStore() *fakeStore {
	return &fakeStore{rows: map[string]Cell{}, seen: map[string]time.Time{}}
}

func (s *fakeStore) Beat(_ context.Context, c Cell) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.rows[c.ID], s.seen[c.ID] = c, time.Now()
	}
	return s.err
}

func (s *fakeStore) Cells(context.Context) ([]Cell, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Cell
	for id, c := range s.rows {
		c.Unseen = time.Since(s.seen[id])
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Cell) int { return int(a.ID[0]) - int(b.ID[0]) })
	return all, s.err
}

func (s *fakeStore) Leave(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, id)
	return s.err
}

func (s *fakeStore) ForgetCells(context.Context, time.Duration) (int64, error) { return 0, nil }

func (s *fakeStore) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// begin runs a cell until the returned function is called.
func begin(s Store, id string, applied func() int64, changed func(int)) (*Registry, func()) {
	r := New(Config{Store: s, Self: Cell{ID: id, Name: id}, Applied: applied, Stale: 5 * time.Second, Changed: changed})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	return r, func() {
		cancel()
		<-done
	}
}

func zero() int64 { return 0 }

func TestRegistry_R13_CountsWhoServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeStore()
		var told []int
		a, stopA := begin(s, "a", zero, func(n int) { told = append(told, n) })
		defer stopA()
		if a.Live() != 1 {
			t.Errorf("alone: %d", a.Live())
		}
		b, stopB := begin(s, "b", zero, nil)
		_, stopC := begin(s, "c", zero, nil)
		time.Sleep(2500 * time.Millisecond)
		if a.Live() != 3 || b.Live() != 3 {
			t.Errorf("three cells: %d and %d", a.Live(), b.Live())
		}
		stopB() // with a goodbye
		if err := b.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1100 * time.Millisecond)
		if a.Live() != 2 {
			t.Errorf("one has left: %d", a.Live())
		}
		stopC() // killed
		time.Sleep(4 * time.Second)
		if a.Live() != 2 {
			t.Errorf("silent for 4 s: %d", a.Live())
		}
		time.Sleep(3 * time.Second)
		if a.Live() != 1 {
			t.Errorf("silent for 7 s: %d", a.Live())
		}
		synctest.Wait()
		if told[len(told)-1] != 1 || !slices.Contains(told, 3) || len(told) > 5 {
			t.Errorf("told of %v", told)
		}
		s.fail(errors.New("gone"))
		time.Sleep(time.Minute)
		if a.Live() != 1 {
			t.Errorf("without the database: %d", a.Live())
		}
	})
}

// The last count stands while the database is away: a site's budget must not grow
// because nobody can be counted.
func TestRegistry_R13_KeepsTheCountWithoutTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeStore()
		a, stopA := begin(s, "a", zero, nil)
		defer stopA()
		_, stopB := begin(s, "b", zero, nil)
		defer stopB()
		time.Sleep(2500 * time.Millisecond)
		s.fail(errors.New("gone"))
		time.Sleep(time.Hour)
		if a.Live() != 2 {
			t.Errorf("%d cells", a.Live())
		}
	})
}

// What is settled was applied here longer ago than any cell serves without looking.
func TestRegistry_R4_SettledIsOldNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		// A tail that applies one entry each 100 ms.
		applied := func() int64 { return int64(time.Since(begun) / (100 * time.Millisecond)) }
		a, stop := begin(newFakeStore(), "a", applied, nil)
		defer stop()
		for time.Since(begun) < time.Minute {
			time.Sleep(70 * time.Millisecond)
			limit := int64(max(0, time.Since(begun)-5*time.Second) / (100 * time.Millisecond))
			got := a.Settled()
			if got > limit {
				t.Fatalf("after %v: settled %d, and %d was applied only 5 s ago", time.Since(begun), got, limit)
			}
			if got < limit-11 { // it is looked at each second
				t.Fatalf("after %v: settled %d lags behind %d", time.Since(begun), got, limit)
			}
		}
		if n := len(a.samples); n > 8 {
			t.Errorf("%d samples are kept", n)
		}
	})
}

func TestRegistry_ItsOwnRowIsCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, applied := newFakeStore(), int64(1)
		a := New(Config{Store: s, Self: Cell{ID: "a"}, Applied: func() int64 { return applied }, Stale: 5 * time.Second})
		if err := a.Beat(t.Context()); err != nil {
			t.Fatal(err)
		}
		applied = 2
		time.Sleep(time.Second)
		all, err := a.Cells(t.Context())
		if err != nil || len(all) != 1 || all[0].Applied != 2 || all[0].Unseen != 0 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// lateStore commits a beat some milliseconds after it was asked to, each time others.
type lateStore struct {
	*fakeStore
	n atomic.Int64
}

func (s *lateStore) Beat(ctx context.Context, c Cell) error {
	time.Sleep(time.Duration(1+s.n.Add(7)%11) * time.Millisecond)
	return s.fakeStore.Beat(ctx, c)
}

// However short stale_after is, cells that beat a little late are there: each of
// them would take all that the site allows.
func TestRegistry_R13_ALateBeatIsNoDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &lateStore{fakeStore: newFakeStore()}
		ctx, cancel := context.WithCancel(t.Context())
		var alone atomic.Int64
		var wait sync.WaitGroup
		for _, id := range []string{"a", "b"} {
			r := New(Config{Store: s, Self: Cell{ID: id}, Applied: zero, Stale: time.Second, Changed: func(live int) {
				if live == 1 {
					alone.Add(1)
				}
			}})
			wait.Go(func() { r.Run(ctx) })
		}
		time.Sleep(10 * time.Minute)
		cancel()
		wait.Wait()
		if n := alone.Load(); n != 0 {
			t.Errorf("in ten minutes a cell took itself for alone %d times", n)
		}
	})
}

// Three tasks for the cells that have run longest: each cell knows whether it has
// one, and when one ends, the next takes over, and nobody else moves.
func TestRegistry_R10_TheLongestRunningComeFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeStore()
		var all []*Registry
		var stop []func()
		started := time.Now()
		for i, id := range []string{"d", "c", "b", "a"} {
			r := New(Config{Store: s, Stale: 5 * time.Second, Applied: zero, Self: Cell{ID: id, StartedAt: started.Add(time.Duration(i/2) * time.Hour)}})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); r.Run(ctx) }()
			all, stop = append(all, r), append(stop, func() { cancel(); <-done })
		}
		ranks := func(want ...int) {
			t.Helper()
			for i, r := range all {
				if want[i] >= 0 && r.Rank() != want[i] {
					t.Errorf("cell %s has rank %d, want %d", r.Self.ID, r.Rank(), want[i])
				}
			}
		}
		time.Sleep(2500 * time.Millisecond)
		ranks(1, 0, 3, 2) // by start, and then by id
		stop[1]()         // killed
		time.Sleep(7 * time.Second)
		ranks(0, -1, 2, 1)
		stop[3]()
		if err := all[3].Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1100 * time.Millisecond)
		ranks(0, -1, 1, -1)
		stop[0]()
		stop[2]()
	})
}
