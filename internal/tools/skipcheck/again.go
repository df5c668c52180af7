package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"causeway/internal/tools/testjson"
)

// detectorFaults are what is printed of a fault of the race detector's own, which ends
// the process in the midst of a test: its word for it, or the runtime's for a fault
// outside of Go code, of which there is no other here (one in Go code is a panic). It is
// no finding: those are "WARNING: DATA RACE". The known one is https://go.dev/issue/78156.
var detectorFaults = []string{"ThreadSanitizer: CHECK failed", "SIGSEGV: segmentation violation"}

// verdict is how packages ended.
type verdict struct {
	failed   map[string]bool
	detector map[string]bool // ended by the race detector's own fault
}

func newVerdict() verdict { return verdict{map[string]bool{}, map[string]bool{}} }

func (v verdict) event(e testjson.Event) {
	switch {
	case e.Action == testjson.Output && slices.ContainsFunc(detectorFaults, func(f string) bool { return strings.HasPrefix(e.Output, f) }):
		v.detector[e.Package] = true
	case e.Action == testjson.Fail && e.Test == "":
		v.failed[e.Package] = true
	}
}

// again are the packages to run once more.
func (v verdict) again() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(v.detector)), func(pkg string) bool { return !v.failed[pkg] })
}

// alone reports whether nothing else failed.
func (v verdict) alone() bool { return len(v.failed) == len(v.again()) }

// onceMore runs packages again, with the flags that args begin with. What the first
// run said of them is taken out of the stream.
func onceMore(args, packages []string, code int, alone bool, keep string, stdout, stderr io.Writer, p *printer) (int, error) {
	fmt.Fprintf(stdout, "The race detector ended %s by a fault of its own; once more.\n", strings.Join(packages, ", "))
	if keep != "" {
		if err := takeOut(keep, packages); err != nil {
			return code, err
		}
	}
	second, err := goTest(append(flagsOf(args), packages...), keep, stderr, p.event)
	if alone && err == nil {
		return second, nil
	}
	return max(code, second), err
}

// flagsOf are args without the packages at their end.
func flagsOf(args []string) []string {
	end := len(args)
	for end > 0 && (strings.HasPrefix(args[end-1], "./") || strings.HasPrefix(args[end-1], "causeway/")) {
		end--
	}
	return slices.Clone(args[:end])
}

// takeOut removes what a stream says of packages.
func takeOut(stream string, packages []string) (err error) {
	in, err := os.Open(stream)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(stream + ".new")
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	err = errors.Join(copyWithout(w, in, packages), w.Flush(), out.Close())
	if err != nil {
		return err
	}
	return os.Rename(stream+".new", stream)
}

func copyWithout(w io.Writer, r io.Reader, packages []string) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		of := slices.ContainsFunc(packages, func(pkg string) bool {
			return bytes.Contains(line, fmt.Appendf(nil, `"Package":%q`, pkg))
		})
		if !of {
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
