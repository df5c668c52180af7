package site

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// checkTime bounds what one look at this cell's health may take.
const checkTime = 2 * time.Second

// check is something that must hold for a cell to be well. Its error is for
// operators and holds no address: balancers log what probes answer.
type check struct {
	name  string
	holds func(context.Context) error
	// minor is what clients had better be told by answers: a balancer that took the
	// cell away would take the rest of what it does away as well.
	minor bool
}

// alive is deliberately little: a restart helps against nothing else, and least of
// all against a database that is away.
func (s *Site) alive() []check {
	return []check{{name: "process", holds: func(context.Context) error { return nil }}}
}

// ready is what a cell needs to serve. Peers never count: local work goes on
// without them.
func (s *Site) ready() []check {
	all := []check{
		{name: "serving", holds: s.staying},
		{name: "database", holds: func(ctx context.Context) error {
			if s.db.Ping(ctx) != nil {
				return errors.New("it cannot be reached")
			}
			return nil
		}},
		{name: "journal", holds: s.following},
		{name: "disk", holds: s.hasRoom, minor: true},
	}
	if s.watermark != nil {
		all = append(all, check{name: "watermark", holds: s.marks, minor: true})
	}
	return all
}

// marks is minor like [Site.hasRoom]: what changes nothing is served without it.
func (s *Site) marks(ctx context.Context) error {
	switch {
	case !s.marking:
		return errors.New("it is configured and not kept: stop all cells and run causeway watermark begin")
	case s.watermark.Reachable(ctx) != nil:
		return errors.New("it cannot be reached: no token is renewed or revoked")
	}
	return nil
}

// hasRoom is minor: the cells of a site share the disk, and what is on it can be read.
func (s *Site) hasRoom(context.Context) error {
	if s.db.Full() {
		return errors.New("the database's disk is full: nothing can be changed, what is there is served")
	}
	return nil
}

func (s *Site) staying(context.Context) error {
	if s.leaving.Load() {
		return errors.New("the cell is stopping; requests under way finish")
	}
	return nil
}

func (s *Site) following(context.Context) error {
	if !s.tail.Fresh() {
		return fmt.Errorf("it was not read for more than %s", s.config.Journal.StaleAfter)
	}
	return nil
}

// Ready tells from memory whether this cell wants requests: balancers and strangers
// may ask as often as they like. /readyz asks the database, too.
func (s *Site) Ready() bool {
	return !s.leaving.Load() && s.tail.Fresh()
}

func (s *Site) livez(w http.ResponseWriter, r *http.Request) { answerHealth(w, r, "livez", s.alive()) }

func (s *Site) readyz(w http.ResponseWriter, r *http.Request) {
	answerHealth(w, r, "readyz", s.ready())
}

// answerHealth answers as the probes of Kubernetes do: "ok", or with ?verbose, and
// whenever something is wrong, a line for each check. What is minor is said and fails
// nothing.
func answerHealth(w http.ResponseWriter, r *http.Request, name string, checks []check) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTime)
	defer cancel()
	var lines strings.Builder
	status, verdict, well := http.StatusOK, "passed", true
	for _, c := range checks {
		start := time.Now()
		err := c.holds(ctx)
		took := time.Since(start).Round(time.Microsecond)
		if err != nil && c.minor {
			well = false
			fmt.Fprintf(&lines, "[!]%s: %v\n", c.name, err)
			continue
		}
		if err != nil {
			status, verdict = http.StatusServiceUnavailable, "failed"
			fmt.Fprintf(&lines, "[-]%s failed after %s: %v\n", c.name, took, err)
			continue
		}
		fmt.Fprintf(&lines, "[+]%s ok in %s\n", c.name, took)
	}
	fmt.Fprintf(&lines, "%s check %s\n", name, verdict)
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if status == http.StatusOK && well && !r.URL.Query().Has("verbose") {
		fmt.Fprintln(w, "ok")
		return
	}
	fmt.Fprint(w, lines.String())
}
