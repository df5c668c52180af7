package upkeep

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/journal"
)

// noted are the borders that a clean-up asked for.
type noted struct {
	fakeTables
	before []Before
	purges []time.Time
}

func (n *noted) Sweep(ctx context.Context, table string, b Before, after Cursor, limit int) (Swept, error) {
	n.before = append(n.before, b)
	return n.fakeTables.Sweep(ctx, table, b, after, limit)
}

func (n *noted) AllowPurge(_ context.Context, _ journal.Log, before, now time.Time) error {
	n.purges = append(n.purges, before)
	return nil
}

var anHour = Keep{Devices: time.Hour, Sessions: time.Hour, Idle: time.Hour, RevokedTokens: time.Hour, UsedTokens: time.Hour, Tasks: time.Hour, Accounts: time.Hour, Events: time.Hour}

// A cell whose clock is wrong removes nothing, whichever way it is wrong, says so,
// and leaves the work to a cell whose clock is right.
func TestCleaner_R2_AWrongClockRemovesNothing(t *testing.T) {
	for _, off := range []time.Duration{26 * time.Hour, -26 * time.Hour, tolerated + time.Second, -tolerated - time.Second} {
		synctest.Test(t, func(t *testing.T) {
			f := &noted{fakeTables: fakeTables{rows: map[string]int{"often": 10}}}
			wrong, right := newCleaner(&f.fakeTables, "wrong"), newCleaner(&f.fakeTables, "right")
			wrong.Store, right.Store, wrong.Keep, right.Keep = f, f, anHour, anHour
			var ahead time.Duration
			wrong.Now = func() time.Time { return time.Now().Add(off) }
			wrong.Ahead = func(d time.Duration) { ahead = d }
			if err := wrong.Turn(t.Context()); err == nil || !strings.Contains(err.Error(), "clock") {
				t.Errorf("%v ahead: %v", off, err)
			}
			if len(f.before)+len(f.purges) > 0 || ahead != off {
				t.Errorf("%v ahead: it looked at rows before %v, and told of %v", off, f.before, ahead)
			}
			if err := right.Turn(t.Context()); err != nil || f.removed["often"] != 5 {
				t.Errorf("the cell beside it: %v, removed %v", err, f.removed)
			}
		})
	}
}

// What is old is so by the earlier of both clocks, and by that of a cell that
// wrote the row and was behind.
func TestCleaner_R2_OldIsByTheEarlierClock(t *testing.T) {
	for _, off := range []time.Duration{0, tolerated, -tolerated} {
		synctest.Test(t, func(t *testing.T) {
			f := &noted{fakeTables: fakeTables{rows: map[string]int{"often": 1}}}
			c := newCleaner(&f.fakeTables, "a")
			c.Store, c.Keep = f, anHour
			c.Now = func() time.Time { return time.Now().Add(off) }
			want := time.Now().Add(min(off, 0) - tolerated - time.Hour)
			if err := c.Turn(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := f.before[0]; !got.Devices.Equal(want) || !got.SessionsOver.Equal(want) || !got.Tasks.Equal(want) {
				t.Errorf("%v ahead: before %v, want %v", off, got.Devices, want)
			}
		})
	}
}

// timedLog notes the times of seals.
type timedLog struct {
	*fakeLog
	at []time.Time
}

func (l *timedLog) Seal(ctx context.Context, s journal.Seal, after int64, e journal.Entry) (bool, error) {
	l.at = append(l.at, e.At)
	return l.fakeLog.Seal(ctx, s, after, e)
}

// Events are removed by the time of their seal: a cell whose clock is wrong makes
// none, and gives the work away; one that is a little off writes the database's.
func TestSealer_R7_SealsByTheDatabasesClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &timedLog{fakeLog: newFakeLog()}
		sealer := func(holder string, off time.Duration) *Sealer {
			return &Sealer{Store: l, Holder: holder, Every: time.Minute, Now: func() time.Time { return time.Now().Add(off) }}
		}
		wrong, right := sealer("wrong", -90*24*time.Hour), sealer("right", -time.Minute)
		l.add(journal.Refusals, 0)
		for range 4 {
			if err := wrong.Turn(t.Context()); err == nil || !strings.Contains(err.Error(), "clock") {
				t.Errorf("90 days behind: %v", err)
			}
			if err := right.Turn(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
		}
		if len(l.at) != 1 || time.Since(l.at[0]) > 2*time.Minute {
			t.Errorf("sealed at %v, and now is %v", l.at, time.Now())
		}
	})
}
