package rig

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"causeway/internal/pause"
)

// Report is what came of a script.
type Report struct {
	Events []Event
	// Failed are the expectations that were not met, and what could not be done.
	Failed []string
}

// Run has everything happen that the script says, and returns when it is over.
// The timeline is written to out as it grows; nil keeps it to the report.
func (w *World) Run(ctx context.Context, out io.Writer) Report {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.begun = now()
	r := &run{w: w, timeline: &timeline{out: out, begun: w.begun}}
	r.timeline.add("", "%d sites serve, seed %d", len(w.sites), w.c.Script.Seed)
	watched, unwatch := context.WithCancel(ctx)
	r.watch(watched)
	for _, s := range w.c.Script.Steps {
		if !pause.For(ctx, s.At-time.Since(w.begun)) {
			r.fail(s, "the run was ended")
			break
		}
		r.step(ctx, s)
	}
	pause.For(ctx, w.c.Script.End-time.Since(w.begun))
	r.expected.Wait() // each ends by itself
	unwatch()
	r.background.Wait()
	r.timeline.add("", "the end: %s", r.verdict())
	return Report{Events: r.timeline.all(), Failed: r.failed}
}

// run is one run of a script.
type run struct {
	w        *World
	timeline *timeline

	expected   sync.WaitGroup
	background sync.WaitGroup // what goes on until the end

	mu     sync.Mutex
	failed []string
	met    int
}

func (r *run) fail(s Step, format string, args ...any) {
	what := fmt.Sprintf("line %d: %s", s.Line, fmt.Sprintf(format, args...))
	r.timeline.add(s.where(), "FAILED %s", what)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, what)
}

func (r *run) verdict() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.failed) == 0 {
		return fmt.Sprintf("all %d expectations were met", r.met)
	}
	return fmt.Sprintf("%d failed: %s", len(r.failed), strings.Join(r.failed, "; "))
}

// step begins what a step says. Actions are over when it returns.
func (r *run) step(ctx context.Context, s Step) {
	switch s.Verb {
	case Expect:
		r.expected.Go(func() { r.expect(ctx, s) })
	case Every:
		r.background.Go(func() { r.ask(ctx, s) })
	default:
		r.timeline.add(s.where(), "%s", s)
		if err := r.w.act(ctx, s); err != nil {
			r.fail(s, "%s: %v", s.Verb, err)
		}
	}
}

// where is the second column: who it is about.
func (s Step) where() string {
	switch {
	case s.B == "":
		return s.A
	case s.OneWay || s.Verb == Every || s.Verb == Expect || s.Verb == Remove:
		return s.A + " -> " + s.B
	}
	return s.A + " -- " + s.B
}

// String is what a step does, without its sites.
func (s Step) String() string {
	switch s.Verb {
	case Skew:
		return fmt.Sprintf("skew %+v", s.Skew)
	case SetLink:
		return fmt.Sprintf("link %v jitter %v loss %v%%", s.Link.Latency, s.Link.Jitter, s.Link.Loss)
	case Crash, Stop, Start, Break, Mend:
		if s.Cell != 0 {
			return fmt.Sprintf("%s cell %d", s.Verb, s.Cell)
		}
	}
	return string(s.Verb)
}
