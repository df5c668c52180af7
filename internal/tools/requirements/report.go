package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"causeway/internal/tools/testjson"
)

// The results; FAIL is loud because it is the one that needs somebody.
const (
	proved = "pass"
	broken = "FAIL"
	open   = "open"
)

// row is a requirement and what the tests that carry its id did.
type row struct {
	requirement
	Result  string   `json:"result"`
	Tests   int      `json:"tests"`
	Skipped int      `json:"skipped"`
	Browser int      `json:"browser"` // tests that passed in a browser
	Failed  []string `json:"failed,omitempty"`
}

type report struct {
	rows    []*row
	unknown []string // ids that tests carry and the ids file lacks, with the test
	failed  []string // packages that failed, whatever their tests carry
}

func newReport(reqs []requirement, t *tests) *report {
	r := &report{failed: slices.Sorted(maps.Keys(t.badPackages))}
	byID := map[string]*row{}
	for _, q := range reqs {
		byID[q.ID] = &row{requirement: q, Result: open}
		r.rows = append(r.rows, byID[q.ID])
	}
	m := newMatcher(reqs)
	for _, at := range t.leaves() {
		for _, id := range m.find(at.name) {
			if byID[id] == nil {
				r.unknown = append(r.unknown, id+" in "+at.String())
				continue
			}
			byID[id].count(t.outcome(at), t.inBrowser(at))
		}
	}
	// A parent may fail by itself, with every subtest passed.
	for _, at := range t.failures() {
		for _, id := range m.find(at.name) {
			if q := byID[id]; q != nil {
				q.Result = broken
				q.Failed = append(q.Failed, at.String())
			}
		}
	}
	return r
}

func (q *row) count(outcome string, inBrowser bool) {
	q.Tests++
	switch outcome {
	case testjson.Pass:
		if inBrowser {
			q.Browser++
		}
		if q.Browser > 0 || !q.seen() {
			q.Result = proved
		}
	case testjson.Skip:
		q.Skipped++
	}
}

// seen reports whether people see what is required, which only a browser proves: its
// kind holds U.
func (q *row) seen() bool { return slices.Contains(strings.Split(q.Kind, "/"), "U") }

// unproved returns those of ids that have no passing test, or a failing one.
func (r *report) unproved(ids []string) []string {
	var missing []string
	for _, q := range r.rows {
		if q.Result != proved && slices.Contains(ids, q.ID) {
			missing = append(missing, q.ID)
		}
	}
	return missing
}

// print writes the rows of the families of only (all, if it is empty), what
// failed, and a line per family.
func (r *report) print(w io.Writer, only []string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "ID\tRESULT\tTESTS\tSTATEMENT")
	var families []string
	counts := map[string]map[string]int{}
	for _, q := range r.rows {
		f := q.family()
		if len(only) > 0 && !slices.Contains(only, f) {
			continue
		}
		if counts[f] == nil {
			families, counts[f] = append(families, f), map[string]int{}
		}
		counts[f][q.Result]++
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", q.ID, q.Result, q.testsText(), q.Statement)
	}
	tw.Flush()

	fmt.Fprintln(w)
	r.printFaults(w)
	for _, f := range families {
		c := counts[f]
		fmt.Fprintf(tw, "%s\t%d requirements:\t%d pass,\t%d FAIL,\t%d open\n", f, c[proved]+c[broken]+c[open], c[proved], c[broken], c[open])
	}
	tw.Flush()
}

func (q *row) testsText() string {
	var notes []string
	if q.Skipped > 0 {
		notes = append(notes, fmt.Sprintf("%d skipped", q.Skipped))
	}
	if q.seen() {
		notes = append(notes, fmt.Sprintf("%d in a browser", q.Browser))
	}
	if len(notes) == 0 {
		return fmt.Sprint(q.Tests)
	}
	return fmt.Sprintf("%d (%s)", q.Tests, strings.Join(notes, ", "))
}

func (r *report) printFaults(w io.Writer) {
	for _, q := range r.rows {
		if len(q.Failed) > 0 {
			fmt.Fprintf(w, "%s fails: %s\n", q.ID, strings.Join(q.Failed, ", "))
		}
	}
	for _, pkg := range r.failed {
		fmt.Fprintln(w, "package failed:", pkg)
	}
	for _, u := range r.unknown {
		fmt.Fprintln(w, "no such requirement:", u)
	}
}

func (r *report) writeJSON(path string) error {
	text, err := json.MarshalIndent(r.rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
