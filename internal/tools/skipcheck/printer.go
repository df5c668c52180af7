package main

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"causeway/internal/tools/testjson"
)

// namesShown of a reason's tests; hundreds share "no PostgreSQL here".
const namesShown = 3

// test is a test or, with an empty name, what its package printed itself.
type test struct{ pkg, name string }

// printer shows a test stream the way `go test` does without -v: a line per
// package and the output of what failed. It collects the skips.
type printer struct {
	out     io.Writer
	output  map[test][]string // of tests that have not ended
	skipped map[string][]test // by reason
}

func newPrinter(out io.Writer) *printer {
	return &printer{out: out, output: map[test][]string{}, skipped: map[string][]test{}}
}

func (p *printer) event(e testjson.Event) {
	t := test{e.Package, e.Test}
	switch {
	case e.Action == testjson.BuildOutput, e.Action == testjson.Output && e.Package == "":
		p.print(e.Output)
	case e.Action == testjson.Output:
		p.output[t] = append(p.output[t], e.Output)
	case e.Test == "":
		p.packageEnd(e)
	case e.Action == testjson.Fail:
		p.print(shown(p.take(t))...)
	case e.Action == testjson.Skip:
		reason := reason(p.take(t))
		p.skipped[reason] = append(p.skipped[reason], t)
	case e.Action == testjson.Pass:
		p.take(t)
	}
}

// packageLine is what go test says of a package that did not fail. The line that
// starts with a tab is of one without tests when coverage is measured.
var packageLine = regexp.MustCompile(`^(ok  |\?   )?\t`)

func (p *printer) packageEnd(e testjson.Event) {
	lines := p.take(test{pkg: e.Package})
	switch e.Action {
	case testjson.Fail:
		p.unfinished(e.Package)
		p.print(lines...)
	case testjson.Pass, testjson.Skip:
		for _, line := range lines {
			if packageLine.MatchString(line) {
				p.print(line)
			}
		}
	}
}

// unfinished prints the tests that a panic or a timeout cut off: nothing else
// says what they were doing.
func (p *printer) unfinished(pkg string) {
	var cut []string
	for t := range p.output {
		if t.pkg == pkg {
			cut = append(cut, t.name)
		}
	}
	slices.Sort(cut)
	for _, name := range cut {
		p.print("--- CUT OFF: " + name + "\n")
		p.print(shown(p.take(test{pkg, name}))...)
	}
}

// finish says what was skipped and turns it into a failure if strict. The last
// line of a failed run is FAIL, as with go test.
func (p *printer) finish(code int, strict bool) int {
	count := 0
	for _, reason := range slices.Sorted(maps.Keys(p.skipped)) {
		tests := p.skipped[reason]
		count += len(tests)
		fmt.Fprintf(p.out, "skipped %d: %s\n", len(tests), reason)
		for i, t := range tests {
			if i == namesShown && !strict {
				fmt.Fprintf(p.out, "    and %d more\n", len(tests)-i)
				break
			}
			fmt.Fprintf(p.out, "    %s %s\n", t.pkg, t.name)
		}
	}
	if strict && count > 0 {
		fmt.Fprintf(p.out, "skipped in all: %d, and here a skip is a failure\n", count)
		code = max(code, 1)
	}
	if code != 0 {
		fmt.Fprintln(p.out, "FAIL")
	}
	return code
}

func (p *printer) take(t test) []string {
	lines := p.output[t]
	delete(p.output, t)
	return lines
}

func (p *printer) print(lines ...string) {
	for _, line := range lines {
		fmt.Fprint(p.out, line)
	}
}

// shown drops the progress marks that only -v, and so -json, writes, and puts
// the verdict above what the test logged.
func shown(lines []string) []string {
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "=== ") })
	verdict := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "--- ") })
	if verdict <= 0 {
		return lines
	}
	return slices.Concat(lines[verdict:verdict+1], lines[:verdict], lines[verdict+1:])
}

// logPrefix is what t.Skip puts before its text.
var logPrefix = regexp.MustCompile(`^\s*[\w.-]+\.go:\d+: `)

func reason(lines []string) string {
	var text []string
	for _, line := range shown(lines) {
		line = strings.TrimSpace(logPrefix.ReplaceAllString(line, ""))
		if line != "" && !strings.HasPrefix(line, "--- SKIP:") {
			text = append(text, line)
		}
	}
	if len(text) == 0 {
		return "no reason given"
	}
	return strings.Join(text, " ")
}
