package rig

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Event is a line of the timeline.
type Event struct {
	At    time.Duration // since the sites served
	Where string        // a site, two of them, or ""
	What  string
}

// String is the line as people read it: time, site, what.
func (e Event) String() string {
	where := e.Where
	if where == "" {
		where = "-"
	}
	return fmt.Sprintf("%9.3fs  %-16s %s", e.At.Seconds(), where, e.What)
}

// timeline collects what happens, and prints it as it does.
type timeline struct {
	out   io.Writer // may be nil
	begun time.Time

	mu     sync.Mutex
	events []Event
}

func (l *timeline) add(where, format string, args ...any) {
	e := Event{At: time.Since(l.begun), Where: where, What: fmt.Sprintf(format, args...)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	if l.out != nil {
		fmt.Fprintln(l.out, e)
	}
}

func (l *timeline) all() []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.events
}
