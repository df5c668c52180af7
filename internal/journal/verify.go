package journal

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Stored is a row as the database has it: nothing of it is believed yet.
type Stored struct {
	Row         // its Entry is what could be read of Body
	Body []byte // the entry's text, which the hash covers
	// Astray are the columns beside the entry that do not say what it says: by
	// them the row is found, or not.
	Astray []string
}

// Archive is the journal with all that is sealed into it.
type Archive interface {
	LogSource
	// Stored returns up to limit rows that follow seq, in order.
	Stored(ctx context.Context, seq int64, limit int) ([]Stored, error)
	// End is what is kept apart as the journal's last row.
	End(ctx context.Context) (Head, error)
	// Borders are what is kept apart of a log: up to which event it is sealed, and
	// up to which events may be removed.
	Borders(ctx context.Context, l Log) (Borders, error)
	// Younger counts up to limit events with after < id. At is when the oldest of
	// them was written, Last the last of them.
	Younger(ctx context.Context, l Log, after int64, limit int) (Events, error)
}

// Borders are ids of events.
type Borders struct{ Sealed, Purged int64 }

// Events are some of a log.
type Events struct {
	Count int
	Last  int64
	At    time.Time
}

// Report is what [Verify] found. Times are those of the cells that wrote.
type Report struct {
	Intact bool        `json:"intact"`
	Rows   int64       `json:"rows"`
	First  time.Time   `json:"first,omitzero"`
	Last   time.Time   `json:"last,omitzero"`
	Head   Head        `json:"head"`
	Logs   []LogReport `json:"logs"`
	// Faults are the first that were found, in the order of the journal.
	Faults []Fault `json:"faults"`
	More   int     `json:"moreFaults,omitempty"` // that are not in Faults
}

// LogReport is what [Verify] found of one log.
type LogReport struct {
	Log     Log   `json:"log"`
	Seals   int   `json:"seals"`        // whose events are as they were
	Events  int64 `json:"events"`       // below them
	UpTo    int64 `json:"sealedUpTo"`   // the last sealed event
	Removed int   `json:"sealsRemoved"` // whose events were removed by age, or are about to be
	Purged  int64 `json:"removedUpTo"`  // the last such event
	Young   int64 `json:"notSealed"`    // events that nothing vouches for yet
	// Since is when the oldest of them was written.
	Since time.Time `json:"notSealedSince,omitzero"`
}

// String is what was found of the log, in words.
func (l LogReport) String() string {
	line := fmt.Sprintf("%s: %d events under %d seals are as they were, the last is %d.", l.Log, l.Events, l.Seals, l.UpTo)
	if l.Removed > 0 {
		line += fmt.Sprintf(" Those up to %d, under %d seals, were old and are gone or going.", l.Purged, l.Removed)
	}
	if l.Young > 0 {
		line += fmt.Sprintf(" Not sealed yet: %d, the oldest from %s.", l.Young, l.Since.UTC().Format(time.RFC3339))
	}
	return line
}

// Fault is something that is not as it was written.
type Fault struct {
	Seq  int64  `json:"row,omitempty"` // of the journal
	Log  Log    `json:"log,omitempty"`
	What string `json:"what"`
}

// Options are how to verify.
type Options struct {
	// Expect is a row that must be there; none when its Seq is 0.
	Expect Head
	// Progress is told after each step how many rows and events were looked at;
	// may be nil.
	Progress func(rows, events int64)
}

// mostFaults bounds a report. One change to the chain is one or two faults.
const mostFaults = 100

// Verify walks the whole chain, and compares every seal in it with the events it
// stands for: whatever was changed, removed or put in afterwards is a fault. What
// was removed by age, as the journal says, is not missed. It reads in small
// steps, keeps nothing, and may run while cells write. An error is about reading:
// nothing was found out then.
//
// Whoever can write to the database can write all of it anew, with new hashes.
// Only a head that was noted elsewhere finds that, see [Options].
func Verify(ctx context.Context, a Archive, o Options) (Report, error) {
	v := &verifier{archive: a, Options: o, report: Report{Faults: []Fault{}}, logs: map[Log]*logState{}}
	for _, l := range Logs() {
		v.logs[l] = &logState{LogReport: LogReport{Log: l}, sealed: math.MinInt64}
	}
	for _, step := range []func(context.Context) error{v.walk, v.borders, v.events, v.young, v.end} {
		if err := step(ctx); err != nil {
			return Report{}, err
		}
	}
	for _, l := range Logs() {
		v.report.Logs = append(v.report.Logs, v.logs[l].LogReport)
	}
	v.report.Head = Head{Seq: v.last.Seq, Hash: v.last.Hash}
	v.report.Intact = len(v.report.Faults) == 0
	return v.report, nil
}

type verifier struct {
	Options
	archive Archive
	report  Report
	last    Stored // that was walked
	logs    map[Log]*logState
	seen    int64 // events
}

// logState is what is known of a log so far.
type logState struct {
	LogReport
	sealed int64 // where the last seal ended whose events were looked at
}

func (v *verifier) fault(f Fault, format string, args ...any) {
	if len(v.report.Faults) == mostFaults {
		v.report.More++
		return
	}
	f.What = fmt.Sprintf(format, args...)
	v.report.Faults = append(v.report.Faults, f)
}

func (v *verifier) tell() {
	if v.Progress != nil {
		v.Progress(v.report.Rows, v.seen)
	}
}

// walk goes on along the chain to its present end.
func (v *verifier) walk(ctx context.Context) error {
	for {
		rows, err := v.archive.Stored(ctx, v.last.Seq, batch)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			v.link(row)
		}
		v.tell()
	}
}

// link checks that row is whole and follows the one before.
func (v *verifier) link(row Stored) {
	at := Fault{Seq: row.Seq}
	switch first := v.last.Seq + 1; {
	case restores(row, v.last):
		if v.Expect.Seq >= first && v.Expect.Seq < row.Seq {
			v.fault(at, "row %d was noted, and the restore in row %d lost it", v.Expect.Seq, row.Seq)
		}
	case row.Seq == first+1:
		v.fault(Fault{Seq: first}, "row %d is missing from the journal", first)
	case row.Seq > first:
		v.fault(Fault{Seq: first}, "the rows %d to %d are missing from the journal", first, row.Seq-1)
	case !bytes.Equal(row.Prev, v.last.Hash):
		v.fault(at, "row %d of the journal does not follow row %d", row.Seq, v.last.Seq)
	}
	if now := rowHash(row.Seq, row.Prev, row.Body); !bytes.Equal(row.Hash, now) {
		v.fault(at, "row %d of the journal was changed", row.Seq)
	} else if len(row.Astray) > 0 {
		v.fault(at, "row %d of the journal is filed wrongly: %s is not as in its entry", row.Seq, strings.Join(row.Astray, ", "))
	}
	if row.Seq == v.Expect.Seq && !bytes.Equal(row.Hash, v.Expect.Hash) {
		v.fault(at, "row %d of the journal is not the one that was noted: the journal up to it was written anew", row.Seq)
	}
	if v.report.Rows++; v.report.Rows == 1 {
		v.report.First = row.At
	}
	v.report.Last, v.last = row.At, row
	v.file(row)
}

// restores reports whether row is the first after a restore, which leaves numbers
// out and says so. The hash covers that as well as the row before.
func restores(row, last Stored) bool {
	return row.Action == SiteRestored && row.Detail[DetailFollows] == strconv.FormatInt(last.Seq, 10) && bytes.Equal(row.Prev, last.Hash)
}

// file notes what a row says of a log.
func (v *verifier) file(row Stored) {
	l := v.logOf(row)
	if l == nil {
		return
	}
	last, err := lastOf(row.Entry)
	switch {
	case err != nil:
		v.fault(Fault{Seq: row.Seq, Log: l.Log}, "row %d of the journal: %v", row.Seq, err)
	case row.Action == l.Log.purged():
		l.Purged = max(l.Purged, last)
	case row.Action == l.Log.Sealed():
		l.UpTo = max(l.UpTo, last)
	}
}

func (v *verifier) logOf(row Stored) *logState {
	if row.Subject.Kind != KindLog {
		return nil
	}
	return v.logs[Log(row.Subject.ID)]
}

// borders compares what is kept apart with the chain: by it events are sealed and
// removed. It is read before the end of the chain and after it, for cells write
// meanwhile.
func (v *verifier) borders(ctx context.Context) error {
	before, err := v.readBorders(ctx)
	if err != nil {
		return err
	}
	if err := v.walk(ctx); err != nil {
		return err
	}
	after, err := v.readBorders(ctx)
	if err != nil {
		return err
	}
	for _, l := range Logs() {
		state := v.logs[l]
		v.compare(l, "sealed", before[l].Sealed, state.UpTo, after[l].Sealed)
		v.compare(l, "removed by age", before[l].Purged, state.Purged, after[l].Purged)
	}
	return nil
}

func (v *verifier) compare(l Log, what string, before, chain, after int64) {
	if chain < before || chain > after {
		v.fault(Fault{Log: l}, "by the table seals %s is %s up to %d, by the journal up to %d", l, what, after, chain)
	}
}

func (v *verifier) readBorders(ctx context.Context) (map[Log]Borders, error) {
	all := map[Log]Borders{}
	for _, l := range Logs() {
		b, err := v.archive.Borders(ctx, l)
		if err != nil {
			return nil, err
		}
		all[l] = b
	}
	return all, nil
}

// events walks the chain again, for the seals in it.
func (v *verifier) events(ctx context.Context) error {
	for seq := int64(0); seq < v.last.Seq; {
		rows, err := v.archive.Stored(ctx, seq, batch)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if seq = row.Seq; seq > v.last.Seq { // not walked yet
				return nil
			}
			if l := v.logOf(row); l != nil && row.Action == l.Log.Sealed() {
				if err := v.seal(ctx, l, row); err != nil {
					return err
				}
			}
		}
		v.tell()
	}
	return nil
}

func (v *verifier) seal(ctx context.Context, l *logState, row Stored) error {
	at := Fault{Seq: row.Seq, Log: l.Log}
	seal, err := ParseSeal(row.Entry)
	if err != nil {
		v.fault(at, "row %d of the journal: %v", row.Seq, err)
		return nil
	}
	after := l.sealed
	l.sealed = max(l.sealed, seal.Last)
	if seal.First <= after {
		v.fault(at, "the seal in row %d begins with event %d of %s, and the one before ends with %d", row.Seq, seal.First, l.Log, after)
		return nil
	}
	if seal.Last <= l.Purged {
		l.Removed++
		return nil
	}
	what, err := v.compareEvents(ctx, seal, after)
	if err == nil && what != "" {
		err = v.walk(ctx) // they may just have been removed by age
	}
	switch {
	case err != nil:
		return err
	case what == "":
		l.Seals, l.Events = l.Seals+1, l.Events+int64(seal.Count)
	case seal.Last <= l.Purged:
		l.Removed++
	default:
		v.fault(at, "%s (the seal is row %d of the journal)", what, row.Seq)
	}
	return nil
}

// compareEvents says what is wrong with the events of a seal.
func (v *verifier) compareEvents(ctx context.Context, s Seal, after int64) (wrong string, err error) {
	sum, n := newSum(), 0
	for n <= s.Count {
		events, err := v.archive.Events(ctx, s.Log, after, s.Last, batch)
		if err != nil {
			return "", err
		}
		for _, e := range events {
			sum.add(e)
			after = e.ID
		}
		n += len(events)
		v.seen += int64(len(events))
		v.tell()
		if len(events) < batch {
			break
		}
	}
	name := fmt.Sprintf("of the events %d to %d of %s", s.First, s.Last, s.Log)
	switch {
	case n < s.Count:
		return fmt.Sprintf("%s %d were removed: %d were sealed, %d are there", name, s.Count-n, s.Count, n), nil
	case n > s.Count:
		return fmt.Sprintf("%s some were put in: %d were sealed, %d or more are there", name, s.Count, n), nil
	case sum.sum() != s.Sum:
		return name + " at least one was changed", nil
	}
	return "", nil
}

// young counts the events that are not sealed.
func (v *verifier) young(ctx context.Context) error {
	for _, l := range Logs() {
		state := v.logs[l]
		for after := state.sealed; ; {
			some, err := v.archive.Younger(ctx, l, after, 20*batch)
			if err != nil {
				return err
			}
			if state.Young == 0 && some.Count > 0 {
				state.Since = some.At
			}
			state.Young += int64(some.Count)
			if some.Count < 20*batch {
				break
			}
			after = some.Last
		}
	}
	return nil
}

// end compares the end of the chain with what is kept apart as its head, once
// both stand still: rows and head are written together, and read one after the
// other.
func (v *verifier) end(ctx context.Context) error {
	for known := int64(0); ; {
		if err := v.walk(ctx); err != nil {
			return err
		}
		head, err := v.archive.End(ctx)
		if err != nil {
			return err
		}
		if head.Seq > v.last.Seq && v.last.Seq >= known {
			known = head.Seq // written in between?
			continue
		}
		v.compareEnd(head)
		return nil
	}
}

func (v *verifier) compareEnd(head Head) {
	last := v.last.Seq
	switch {
	case head.Seq > last:
		v.fault(Fault{Seq: last + 1}, "the journal ends at %d, its head says %d", last, head.Seq)
	case head.Seq < last:
		v.fault(Fault{Seq: head.Seq + 1}, "the journal goes on to %d, its head says %d", last, head.Seq)
	case !bytes.Equal(head.Hash, v.last.Hash):
		v.fault(Fault{Seq: last}, "the head of the journal has another hash than its last row, %d", last)
	}
	if v.Expect.Seq > last {
		v.fault(Fault{Seq: last + 1}, "the journal ends at %d, and row %d was noted: its end was cut off", last, v.Expect.Seq)
	}
}
