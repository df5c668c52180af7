package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Faults is every mistake of a configuration, in the order of the file, then
// the variables, then the flags. Its Error has one line for each.
type Faults struct{ List []Fault }

// Fault is one mistake. It never quotes a secret.
type Fault struct {
	Origin
	Key     string // dotted, such as services[0].prefix; empty for the whole file
	Message string
}

// Origin is where a value was set; the zero Origin is Go code.
type Origin struct {
	Name   string // the file, the variable, or "flag"
	Line   int    // from 1; 0 where there are no lines
	Column int
	rank   int // of the kind of source
}

const (
	fromCode = iota
	fromFile
	fromEnvironment
	fromFlag
)

func (f *Faults) Error() string {
	lines := make([]string, len(f.List))
	for i, fault := range f.List {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

func (f Fault) String() string {
	parts := []string{f.Name, f.Key, f.Message}
	if f.Line > 0 {
		parts[0] = fmt.Sprintf("%s:%d:%d", f.Name, f.Line, f.Column)
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
}

// faultsOrNil keeps a nil *Faults from becoming an error that is not nil.
func faultsOrNil(list []Fault) error {
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(a, b Fault) int {
		// What has no line is missing: it is listed after what is there.
		return cmp.Or(cmp.Compare(a.rank, b.rank), boolCompare(a.Line == 0, b.Line == 0),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key))
	})
	return &Faults{list}
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
