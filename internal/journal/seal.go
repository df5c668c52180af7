package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
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
	sum := newSum()
	for _, e := range events {
		sum.add(e)
	}
	return Seal{Log: l, First: events[0].ID, Last: events[len(events)-1].ID, Count: len(events), Sum: sum.sum()}
}

// summing hashes each event with its length before it, so that no two lists of
// events are the same bytes.
type summing struct{ h hash.Hash }

func newSum() summing { return summing{sha256.New()} }

func (s summing) add(e Event) {
	fmt.Fprintf(s.h, "%d %d ", e.ID, len(e.JSON))
	s.h.Write(e.JSON)
}

func (s summing) sum() (out [sha256.Size]byte) {
	s.h.Sum(out[:0])
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

// lastOf is the event up to which a seal or a purge reaches.
func lastOf(e Entry) (int64, error) { return strconv.ParseInt(e.Detail["last"], 10, 64) }

// LogSource is where sealed events are read.
type LogSource interface {
	// Events returns up to limit events with after < id <= upTo, by id.
	Events(ctx context.Context, l Log, after, upTo int64, limit int) ([]Event, error)
}
