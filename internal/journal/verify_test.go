package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeArchive is a journal and its logs in memory. Cells write while it is read.
type fakeArchive struct {
	rows    []Stored
	events  []Event // of refusals
	borders Borders
	err     error
	largest int
	reads   int
	// meanwhile is called before a read; it may write.
	meanwhile func(f *fakeArchive)
}

func (f *fakeArchive) read() error {
	f.reads++
	if f.meanwhile != nil {
		f.meanwhile(f)
	}
	return f.err
}

func (f *fakeArchive) record(e Entry) {
	head, _ := f.end()
	row, _ := Chain(head.Seq+1, head.Hash, e)
	body, _ := json.Marshal(row.Entry)
	f.rows = append(f.rows, Stored{Row: row, Body: body})
}

// seal adds n events under a seal.
func (f *fakeArchive) seal(n int) {
	for range n {
		f.events = append(f.events, Event{ID: f.borders.Sealed + 1, JSON: fmt.Append(nil, len(f.events))})
		f.borders.Sealed++
	}
	f.record(NewSeal(Refusals, f.events[len(f.events)-n:]).Entry(time.Now()))
}

// purge removes by age.
func (f *fakeArchive) purge(last int64) {
	f.borders.Purged = last
	f.record(Refusals.Purge(time.Now(), last))
	f.events = slices.DeleteFunc(f.events, func(e Event) bool { return e.ID <= last })
}

func (f *fakeArchive) end() (Head, error) {
	if len(f.rows) == 0 {
		return Head{}, nil
	}
	last := f.rows[len(f.rows)-1]
	return Head{Seq: last.Seq, Hash: last.Hash}, nil
}

func (f *fakeArchive) End(context.Context) (Head, error) {
	if err := f.read(); err != nil {
		return Head{}, err
	}
	return f.end()
}

func (f *fakeArchive) Stored(_ context.Context, seq int64, limit int) ([]Stored, error) {
	err := f.read()
	f.largest = max(f.largest, limit)
	i := slices.IndexFunc(f.rows, func(r Stored) bool { return r.Seq > seq })
	if i < 0 || err != nil {
		return nil, err
	}
	return slices.Clone(f.rows[i:min(i+limit, len(f.rows))]), nil
}

func (f *fakeArchive) Borders(_ context.Context, l Log) (Borders, error) {
	if err := f.read(); l != Refusals {
		return Borders{}, err
	}
	return f.borders, f.err
}

func (f *fakeArchive) some(l Log, after, upTo int64, limit int) (found []Event) {
	for _, e := range f.events {
		if l == Refusals && e.ID > after && e.ID <= upTo && len(found) < limit {
			found = append(found, e)
		}
	}
	return found
}

func (f *fakeArchive) Events(_ context.Context, l Log, after, upTo int64, limit int) ([]Event, error) {
	err := f.read()
	f.largest = max(f.largest, limit)
	return f.some(l, after, upTo, limit), err
}

func (f *fakeArchive) Younger(_ context.Context, l Log, after int64, limit int) (Events, error) {
	err := f.read()
	found := f.some(l, after, 1<<62, limit)
	if len(found) == 0 {
		return Events{}, err
	}
	return Events{Count: len(found), Last: found[len(found)-1].ID, At: time.Unix(1, 0)}, err
}

func verifyFake(t *testing.T, f *fakeArchive, wants ...string) Report {
	t.Helper()
	found, err := Verify(t.Context(), f, Options{})
	if err != nil {
		t.Fatal(err)
	}
	said := []string{}
	for _, fault := range found.Faults {
		said = append(said, fault.What)
	}
	if found.Intact != (len(wants) == 0) || len(said) != len(wants) {
		t.Fatalf("got %q, want %q", said, wants)
	}
	for i, want := range wants {
		if !strings.Contains(said[i], want) {
			t.Errorf("got %q, want %q", said[i], want)
		}
	}
	return found
}

// Cells write, seal and remove by age between any two reads, and nothing of it
// looks like tampering.
func TestVerify_R7_WhileCellsWrite(t *testing.T) {
	const steps = 60
	for phase := range 12 {
		every := 1 + phase%3
		f := &fakeArchive{}
		for range 20 {
			f.seal(3)
		}
		f.meanwhile = func(f *fakeArchive) {
			switch (f.reads + phase) % (4 * every) {
			case 0:
				f.purge(f.borders.Purged + 3)
			case every:
				f.seal(3)
			case 2 * every:
				f.record(Entry{Action: RoleUpdated})
			}
			if f.reads > steps {
				f.meanwhile = nil
			}
		}
		verifyFake(t, f)
	}
}

// It goes on after a fault: a second one does not hide behind the first.
func TestVerify_R7_FindsEveryFault(t *testing.T) {
	f := &fakeArchive{}
	for range 4 {
		f.seal(5)
		f.record(Entry{Action: RoleUpdated})
	}
	verifyFake(t, f)
	f.rows[1].Body = []byte("{}")
	f.events[0].JSON = []byte("other")
	f.events = slices.Delete(f.events, 7, 9)
	f.events = append(f.events, Event{ID: 21}, Event{ID: 22}) // not sealed yet
	found := verifyFake(t, f, "row 2 of the journal was changed",
		"of the events 1 to 5 of refusals at least one was changed (the seal is row 1", "of the events 6 to 10 of refusals 2 were removed: 5 were sealed, 3 are there")
	if l := found.Logs[1]; l.Seals != 2 || l.Events != 10 || l.UpTo != 20 || l.Young != 2 || !l.Since.Equal(time.Unix(1, 0)) {
		t.Errorf("%+v", l)
	}
	f.events = slices.Insert(f.events, 0, Event{ID: -4})
	verifyFake(t, f, "row 2", "1 to 5 of refusals some were put in", "2 were removed")
}

// Old events that are still there, or gone, are no fault; what the journal does
// not say is.
func TestVerify_R7_RemovedByAge(t *testing.T) {
	f := &fakeArchive{}
	for range 4 {
		f.seal(5)
	}
	all := slices.Clone(f.events)
	f.purge(10)
	for _, left := range [][]Event{all, all[7:], f.events} {
		f.events = left
		if l := verifyFake(t, f).Logs[1]; l.Removed != 2 || l.Seals != 2 || l.Purged != 10 {
			t.Errorf("%d left: %+v", len(left), l)
		}
	}
	f.borders.Purged = 15
	verifyFake(t, f, "by the table seals refusals is removed by age up to 15, by the journal up to 10")
	f.borders.Purged, f.borders.Sealed = 10, 5
	verifyFake(t, f, "is sealed up to 5, by the journal up to 20")
	f.borders.Sealed = 20
	f.record(NewSeal(Refusals, f.events).Entry(time.Now())) // the same events again
	verifyFake(t, f, "begins with event 11 of refusals, and the one before ends with 20")
}

// What one verification keeps does not grow with the site, and neither does its report.
func TestVerify_Bounded(t *testing.T) {
	f := &fakeArchive{}
	f.seal(3 * batch)
	for range 3 * batch {
		f.record(Entry{Action: RoleUpdated})
	}
	verifyFake(t, f)
	for i := range f.rows {
		f.rows[i].Astray = []string{"at"}
	}
	found, err := Verify(t.Context(), f, Options{})
	if err != nil || len(found.Faults) != mostFaults || found.More != len(f.rows)-mostFaults || found.Intact {
		t.Errorf("%d faults and %d more, %v", len(found.Faults), found.More, err)
	}
	if f.largest > batch {
		t.Errorf("%d were read at once", f.largest)
	}
}

// An error of the database is no verdict, wherever it comes.
func TestVerify_AnErrorIsNoVerdict(t *testing.T) {
	gone := errors.New("gone")
	f := &fakeArchive{}
	f.seal(3)
	verifyFake(t, f)
	for n := range f.reads {
		f.reads, f.err = 0, nil
		f.meanwhile = func(f *fakeArchive) {
			if f.reads > n {
				f.err = gone
			}
		}
		if found, err := Verify(t.Context(), f, Options{}); !errors.Is(err, gone) || found.Intact {
			t.Errorf("read %d fails: %+v, %v", n, found, err)
		}
	}
}
