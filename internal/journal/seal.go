package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// Log is a list of events that are written outside the journal's locked head and
// become part of its chain afterwards, many at a time.
type Log string

const (
	TokenEvents Log = "token_events"
	Refusals    Log = "refusals"
)

// Logs are all of them.
func Logs() []Log { return []Log{TokenEvents, Refusals} }

// KindLog is the subject of entries about a log. They belong to no organization:
// a seal holds events of all.
const KindLog = "log"

const (
	TokenEventsSealed Action = "tokenEvents.sealed"
	TokenEventsPurged Action = "tokenEvents.purged"
	RefusalsSealed    Action = "refusals.sealed"
	RefusalsPurged    Action = "refusals.purged"
)

// Sealed is the action of the log's seals.
func (l Log) Sealed() Action {
	if l == Refusals {
		return RefusalsSealed
	}
	return TokenEventsSealed
}

func (l Log) purged() Action {
	if l == Refusals {
		return RefusalsPurged
	}
	return TokenEventsPurged
}

// Event is a row of a log: JSON holds all its columns in one order.
type Event struct {
	ID   int64
	JSON []byte
}

// Seal stands in the journal for the events of a log after the seal before it,
// up to and with Last.
type Seal struct {
	Log         Log
	First, Last int64
	Count       int
	Sum         [sha256.Size]byte
}

// NewSeal seals events, in the order of their ids and at least one.
func NewSeal(l Log, events []Event) Seal {
	return Seal{Log: l, First: events[0].ID, Last: events[len(events)-1].ID, Count: len(events), Sum: sum(events)}
}

// sum hashes each event with its length before it, so that no two lists of
// events are the same bytes.
func sum(events []Event) (out [sha256.Size]byte) {
	h := sha256.New()
	for _, e := range events {
		fmt.Fprintf(h, "%d %d ", e.ID, len(e.JSON))
		h.Write(e.JSON)
	}
	h.Sum(out[:0])
	return out
}

// Entry is the journal's entry of the seal.
func (s Seal) Entry(at time.Time) Entry {
	return Entry{At: at, Actor: System, Action: s.Log.Sealed(), Subject: Subject{Kind: KindLog, ID: string(s.Log)}, Detail: map[string]string{
		"first": strconv.FormatInt(s.First, 10), "last": strconv.FormatInt(s.Last, 10),
		"count": strconv.Itoa(s.Count), "sha256": hex.EncodeToString(s.Sum[:]),
	}}
}

// Purge is the journal's entry that events up to and with last are removed, by
// age, from now on.
func (l Log) Purge(at time.Time, last int64) Entry {
	return Entry{At: at, Actor: System, Action: l.purged(), Subject: Subject{Kind: KindLog, ID: string(l)}, Detail: map[string]string{
		"last": strconv.FormatInt(last, 10),
	}}
}

// ParseSeal reads back what [Seal.Entry] made.
func ParseSeal(e Entry) (s Seal, err error) {
	s.Log = Log(e.Subject.ID)
	sum, err := hex.DecodeString(e.Detail["sha256"])
	if err != nil || len(sum) != len(s.Sum) || e.Subject.Kind != KindLog || e.Action != s.Log.Sealed() {
		return Seal{}, fmt.Errorf("the entry %s is not a seal", e.Action)
	}
	copy(s.Sum[:], sum)
	for name, into := range map[string]*int64{"first": &s.First, "last": &s.Last} {
		if *into, err = strconv.ParseInt(e.Detail[name], 10, 64); err != nil {
			return Seal{}, fmt.Errorf("the seal of %s: %w", s.Log, err)
		}
	}
	if s.Count, err = strconv.Atoi(e.Detail["count"]); err != nil {
		return Seal{}, fmt.Errorf("the seal of %s: %w", s.Log, err)
	}
	return s, nil
}

// LogSource is where sealed events are read.
type LogSource interface {
	// Events returns up to limit events with after < id <= upTo, by id.
	Events(ctx context.Context, l Log, after, upTo int64, limit int) ([]Event, error)
}

// VerifyLogs compares every seal in the journal with the events it stands for,
// and reports the first that do not fit: changed, removed, or put in afterwards.
// What was removed by age, as the journal says, is not missed. The chain itself
// is for [Verify], before.
func VerifyLogs(ctx context.Context, s Source, logs LogSource) error {
	purged := map[Log]int64{}
	if err := eachOfLogs(ctx, s, func(e Entry) error {
		l := Log(e.Subject.ID)
		if e.Action != l.purged() {
			return nil
		}
		last, err := strconv.ParseInt(e.Detail["last"], 10, 64)
		purged[l] = max(purged[l], last)
		return err
	}); err != nil {
		return err
	}
	after := map[Log]int64{} // where the seal before ended
	return eachOfLogs(ctx, s, func(e Entry) error {
		l := Log(e.Subject.ID)
		if e.Action != l.Sealed() {
			return nil
		}
		seal, err := ParseSeal(e)
		if err != nil {
			return err
		}
		from := after[l]
		after[l] = seal.Last
		if seal.Last <= purged[l] {
			return nil
		}
		return seal.check(ctx, logs, from)
	})
}

func (s Seal) check(ctx context.Context, logs LogSource, after int64) error {
	events, err := logs.Events(ctx, s.Log, after, s.Last, s.Count+1)
	if err != nil {
		return err
	}
	if len(events) != s.Count {
		return fmt.Errorf("%s has %d or more events from %d to %d, and %d were sealed", s.Log, len(events), after+1, s.Last, s.Count)
	}
	if now := sum(events); !bytes.Equal(now[:], s.Sum[:]) {
		return fmt.Errorf("of the events %d to %d of %s at least one was changed after it was sealed", s.First, s.Last, s.Log)
	}
	return nil
}

// eachOfLogs calls f with the entries that are about logs, in their order.
func eachOfLogs(ctx context.Context, s Source, f func(Entry) error) error {
	for seq := int64(0); ; {
		rows, err := s.After(ctx, seq, batch)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			seq = row.Seq
			if row.Subject.Kind != KindLog {
				continue
			}
			if err := f(row.Entry); err != nil {
				return err
			}
		}
	}
}
