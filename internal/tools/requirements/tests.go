package main

import (
	"maps"
	"slices"
	"strings"

	"causeway/internal/tools/testjson"
)

// test names a test of a package, subtests included.
type test struct{ pkg, name string }

func (t test) String() string { return t.pkg + " " + t.name }

// tests is what a stream says of every test and package.
type tests struct {
	last        map[test]string // the action that counts; run if it never ended
	badPackages map[string]bool
	browsed     map[test]bool // looked at pages in a browser
}

func newTests() *tests {
	return &tests{last: map[test]string{}, badPackages: map[string]bool{}, browsed: map[test]bool{}}
}

func (t *tests) event(e testjson.Event) {
	if e.Test == "" {
		if e.Action == testjson.Fail {
			t.badPackages[e.Package] = true
		}
		return
	}
	at := test{e.Package, e.Test}
	if e.Action == testjson.Attr {
		t.browsed[at] = t.browsed[at] || e.Key == browserAttr
		return
	}
	if weight[e.Action] > weight[t.last[at]] {
		t.last[at] = e.Action
	}
}

// weight orders what a test with -count did in all its runs: one failure is a
// failure, one pass is more than a skip.
var weight = map[string]int{testjson.Run: 1, testjson.Skip: 2, testjson.Pass: 3, testjson.Fail: 4}

// outcome is pass, skip or fail: a test that began and never ended was cut off
// by a panic or a timeout, which is no pass.
func (t *tests) outcome(at test) string {
	if t.last[at] == testjson.Run {
		return testjson.Fail
	}
	return t.last[at]
}

// browserAttr is the attribute that package browsertest gives to tests.
const browserAttr = "browser"

// inBrowser reports whether a test, or one that it is a part of, used a browser.
func (t *tests) inBrowser(at test) bool {
	for {
		if t.browsed[at] {
			return true
		}
		i := strings.LastIndexByte(at.name, '/')
		if i < 0 {
			return false
		}
		at.name = at.name[:i]
	}
}

// leaves returns, sorted, the tests without subtests: a parent passes also when
// all its subtests were skipped, so only leaves prove anything.
func (t *tests) leaves() []test {
	parents := map[test]bool{}
	for at := range t.last {
		for i, r := range at.name {
			if r == '/' {
				parents[test{at.pkg, at.name[:i]}] = true
			}
		}
	}
	leaves := t.sorted()
	return slices.DeleteFunc(leaves, func(at test) bool { return parents[at] })
}

// failures returns the tests that failed, parents included, sorted.
func (t *tests) failures() []test {
	return slices.DeleteFunc(t.sorted(), func(at test) bool { return t.outcome(at) != testjson.Fail })
}

func (t *tests) failed() bool { return len(t.badPackages) > 0 || len(t.failures()) > 0 }

func (t *tests) sorted() []test {
	return slices.SortedFunc(maps.Keys(t.last), func(a, b test) int { return strings.Compare(a.String(), b.String()) })
}
