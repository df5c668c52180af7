package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeSource is a journal in memory that can fail or hang.
type fakeSource struct {
	mu    sync.Mutex
	rows  []Row
	head  int64 // -1: that of rows
	err   error
	hang  bool
	slow  time.Duration
	polls int
}

func (s *fakeSource) write(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		var last Row
		if len(s.rows) > 0 {
			last = s.rows[len(s.rows)-1]
		}
		row, err := Chain(last.Seq+1, last.Hash, Entry{At: time.Now(), Action: RoleUpdated})
		if err != nil {
			panic(err)
		}
		s.rows = append(s.rows, row)
	}
}

func (s *fakeSource) set(f func(s *fakeSource)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

func (s *fakeSource) answer(ctx context.Context) error {
	err, hang, slow := s.err, s.hang, s.slow
	s.mu.Unlock()
	defer s.mu.Lock()
	time.Sleep(slow)
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (s *fakeSource) Head(ctx context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polls++
	if err := s.answer(ctx); err != nil {
		return 0, err
	}
	if s.head >= 0 {
		return s.head, nil
	}
	if len(s.rows) == 0 {
		return 0, nil
	}
	return s.rows[len(s.rows)-1].Seq, nil
}

func (s *fakeSource) After(ctx context.Context, seq int64, limit int) ([]Row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.answer(ctx); err != nil {
		return nil, err
	}
	var out []Row
	for _, r := range s.rows {
		if r.Seq > seq && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

// fakeFollower writes down what it is told: sequences, and 0 for a flush.
type fakeFollower struct {
	mu   sync.Mutex
	told []int64
}

func (f *fakeFollower) note(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, n)
}
func (f *fakeFollower) Apply(r Row) { f.note(r.Seq) }
func (f *fakeFollower) Flush()      { f.note(0) }

func (f *fakeFollower) want(t *testing.T, want ...int64) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.told, want) {
		t.Errorf("the follower was told %v, want %v (0 is a flush)", f.told, want)
	}
}

// inTail runs f with a running tail in fake time, after its first poll.
func inTail(t *testing.T, had int, f func(t *testing.T, s *fakeSource, tail *Tail, told *fakeFollower)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, told := &fakeSource{head: -1}, &fakeFollower{}
		s.write(had)
		tail, err := New(TailConfig{Source: s, Followers: []Follower{told}})
		if err != nil {
			t.Fatal(err)
		}
		if tail.Fresh() {
			t.Error("a tail is fresh before it runs")
		}
		tail.Start()
		defer tail.Stop()
		synctest.Wait()
		f(t, s, tail, told)
	})
}

func TestTail_StartsAtTheHead(t *testing.T) {
	inTail(t, 3, func(t *testing.T, s *fakeSource, tail *Tail, told *fakeFollower) {
		told.want(t, 0) // what was cached before the head was known may be old
		if tail.Applied() != 3 || !tail.Fresh() {
			t.Errorf("applied %d, fresh %v", tail.Applied(), tail.Fresh())
		}
		s.write(2)
		time.Sleep(250 * time.Millisecond)
		synctest.Wait()
		told.want(t, 0, 4, 5)
	})
}

func TestTail_WakesAtOnce(t *testing.T) {
	inTail(t, 0, func(t *testing.T, s *fakeSource, tail *Tail, told *fakeFollower) {
		s.write(1)
		start := time.Now()
		for range 3 {
			tail.Wake()
		}
		if err := tail.WaitFor(t.Context(), 1); err != nil || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		told.want(t, 0, 1)
	})
}

func TestTail_ReadsMoreThanABatch(t *testing.T) {
	inTail(t, 0, func(t *testing.T, s *fakeSource, tail *Tail, told *fakeFollower) {
		s.write(2*batch + 1)
		time.Sleep(250 * time.Millisecond)
		synctest.Wait()
		if tail.Applied() != 2*batch+1 || len(told.told) != 2*batch+2 {
			t.Errorf("applied %d, told %d", tail.Applied(), len(told.told))
		}
	})
}

func TestTail_WaitFor(t *testing.T) {
	inTail(t, 0, func(t *testing.T, s *fakeSource, tail *Tail, _ *fakeFollower) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := tail.WaitFor(ctx, 1); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		start = time.Now()
		if err := tail.WaitFor(t.Context(), 1); !errors.Is(err, ErrNotFollowing) || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		time.AfterFunc(time.Second, func() { s.write(1) })
		start = time.Now()
		if err := tail.WaitFor(t.Context(), 1); err != nil || time.Since(start) > time.Second+250*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		time.AfterFunc(time.Second, tail.Stop)
		if err := tail.WaitFor(t.Context(), 2); !errors.Is(err, ErrNotFollowing) {
			t.Errorf("a stopped tail: %v", err)
		}
	})
}

// The database is away for d; did the cell refuse, and did it forget?
func TestTail_R4_RefusesAndForgetsAfterAGap(t *testing.T) {
	for _, c := range []struct {
		away  time.Duration
		stale bool
		hang  bool
		told  []int64
	}{
		{away: 4 * time.Second, told: []int64{0, 1}},
		{away: 6 * time.Second, stale: true, told: []int64{0, 0}},
		{away: time.Hour, stale: true, told: []int64{0, 0}},
		{away: 2 * time.Second, hang: true, told: []int64{0, 1}},
		{away: 30 * time.Second, hang: true, stale: true, told: []int64{0, 0}},
	} {
		t.Run(fmt.Sprint(c.away, " hanging ", c.hang), func(t *testing.T) {
			inTail(t, 0, func(t *testing.T, s *fakeSource, tail *Tail, told *fakeFollower) {
				s.set(func(s *fakeSource) {
					if s.hang = c.hang; !s.hang {
						s.err = errors.New("connection refused")
					}
				})
				time.Sleep(c.away)
				synctest.Wait()
				if tail.Fresh() == c.stale {
					t.Errorf("after %v the tail is fresh: %v", c.away, tail.Fresh())
				}
				s.write(1)
				s.set(func(s *fakeSource) { s.err, s.hang = nil, false })
				time.Sleep(3 * time.Second)
				synctest.Wait()
				if !tail.Fresh() || tail.Applied() != 1 {
					t.Errorf("back: fresh %v, applied %d", tail.Fresh(), tail.Applied())
				}
				told.want(t, c.told...)
			})
		})
	}
}

// The tail knows the journal as it was when a poll began, not when it ended.
func TestTail_R4_ASlowPollIsOldNews(t *testing.T) {
	inTail(t, 0, func(t *testing.T, s *fakeSource, tail *Tail, _ *fakeFollower) {
		s.set(func(s *fakeSource) { s.slow = 2 * time.Second })
		time.Sleep(260 * time.Millisecond) // a slow poll has begun
		s.set(func(s *fakeSource) { s.err = errors.New("gone after this one") })
		time.Sleep(4900 * time.Millisecond)
		if !tail.Fresh() {
			t.Error("not fresh 4.9 s after the last good poll began")
		}
		time.Sleep(200 * time.Millisecond)
		if tail.Fresh() {
			t.Error("fresh 5.1 s after the last good poll began")
		}
	})
}

func TestTail_R4_ForgetsWhenTheFirstRowIsMissing(t *testing.T) {
	inTail(t, 1, func(t *testing.T, s *fakeSource, tail *Tail, told *fakeFollower) {
		s.write(2)
		s.set(func(s *fakeSource) { s.rows = slices.Delete(s.rows, 1, 2) })
		time.Sleep(250 * time.Millisecond)
		synctest.Wait()
		told.want(t, 0, 0)
		if tail.Applied() != 3 {
			t.Errorf("applied %d, want 3", tail.Applied())
		}
	})
}

// While the flush runs, the tail must not be fresh yet.
func TestTail_R4_FlushesBeforeItIsFreshAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeSource{head: -1}
		var tail *Tail
		check := &checkFlush{fresh: func() bool { return tail.Fresh() }}
		tail, err := New(TailConfig{Source: s, Followers: []Follower{check}})
		if err != nil {
			t.Fatal(err)
		}
		tail.Start()
		defer tail.Stop()
		time.Sleep(time.Second)
		s.set(func(s *fakeSource) { s.err = errors.New("gone") })
		time.Sleep(10 * time.Second)
		s.set(func(s *fakeSource) { s.err = nil })
		time.Sleep(time.Second)
		synctest.Wait()
		if check.flushes != 2 || check.tooEarly {
			t.Errorf("%d flushes, fresh during one: %v", check.flushes, check.tooEarly)
		}
	})
}

type checkFlush struct {
	fresh    func() bool
	flushes  int
	tooEarly bool
}

func (c *checkFlush) Apply(Row) {}
func (c *checkFlush) Flush() {
	c.flushes++
	c.tooEarly = c.tooEarly || c.fresh()
}

// What must not happen with a gapless journal, but does when a database is
// restored or damaged: everybody forgets everything.
func TestTail_R4_ForgetsWhenTheChainDoesNotContinue(t *testing.T) {
	for name, damage := range map[string]func(s *fakeSource){
		"a row is missing":   func(s *fakeSource) { s.rows = slices.Delete(s.rows, 3, 4) },
		"no row is there":    func(s *fakeSource) { s.head, s.rows = 5, nil },
		"the head went back": func(s *fakeSource) { s.rows = s.rows[:2] },
		"another history":    func(s *fakeSource) { s.rows[3].Prev = []byte("other") },
	} {
		t.Run(name, func(t *testing.T) {
			inTail(t, 0, func(t *testing.T, s *fakeSource, tail *Tail, told *fakeFollower) {
				s.write(3)
				time.Sleep(250 * time.Millisecond)
				synctest.Wait()
				told.want(t, 0, 1, 2, 3)
				s.write(2)
				s.set(damage)
				time.Sleep(250 * time.Millisecond)
				synctest.Wait()
				told.want(t, 0, 1, 2, 3, 0)
				want, _ := s.Head(t.Context())
				if tail.Applied() != want || !tail.Fresh() {
					t.Errorf("applied %d, want %d; fresh %v", tail.Applied(), want, tail.Fresh())
				}
			})
		})
	}
}

func TestTail_StopsAndNeedsASource(t *testing.T) {
	if _, err := New(TailConfig{}); err == nil {
		t.Error("a tail without a source was made")
	}
	if _, err := New(TailConfig{Source: &fakeSource{}, Interval: 3 * time.Second}); err == nil {
		t.Error("a tail was made that is stale between its polls")
	}
	inTail(t, 0, func(t *testing.T, s *fakeSource, tail *Tail, _ *fakeFollower) {
		s.set(func(s *fakeSource) { s.hang = true })
		time.Sleep(300 * time.Millisecond) // in the middle of a poll
		tail.Stop()
		polls := s.polls
		time.Sleep(time.Minute)
		if s.polls != polls {
			t.Error("a stopped tail polls")
		}
		tail.Stop() // again is fine
	})
}

// Who waits while the first poll runs must not miss its end.
func TestTail_WaitForTheFirstPoll(t *testing.T) {
	for range 3000 {
		tail, err := New(TailConfig{Source: &fakeSource{head: -1}, Interval: 100 * time.Millisecond, Stale: 200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		tail.Start()
		err = tail.WaitFor(t.Context(), 0)
		tail.Stop()
		if err != nil {
			t.Fatal(err)
		}
	}
}
