package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// requirement is one line of the ids file.
type requirement struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Statement string `json:"statement"`
}

// family is the id without its number: VCD of VCD-18, R of R7.
func (r requirement) family() string { return strings.TrimRight(r.ID, "-0123456789") }

var wellFormed = regexp.MustCompile(`^[A-Z]+-?[1-9][0-9]*$`)

// load reads the ids file: three fields separated by tabs, # starts a comment.
func load(path string) ([]requirement, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var reqs []requirement
	seen := map[string]bool{}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 3 || !wellFormed.MatchString(f[0]) || f[2] == "" {
			return nil, fmt.Errorf("%s:%d: want id, kind and statement, separated by tabs", path, i+1)
		}
		if seen[f[0]] {
			return nil, fmt.Errorf("%s:%d: %s is there twice", path, i+1, f[0])
		}
		seen[f[0]] = true
		reqs = append(reqs, requirement{f[0], f[1], f[2]})
	}
	return reqs, nil
}

// known returns ids, or an error that names the first one that reqs lacks: a
// misspelt requirement must not count as demanded and met.
func known(reqs []requirement, ids []string) ([]string, error) {
	for _, id := range ids {
		if !slices.ContainsFunc(reqs, func(r requirement) bool { return r.ID == id }) {
			return nil, fmt.Errorf("there is no requirement %s", id)
		}
	}
	return ids, nil
}

// matcher finds ids in test names.
type matcher struct {
	id     *regexp.Regexp
	hyphen map[string]bool // of families whose ids are written with one
}

// newMatcher looks for ids of the families of reqs. The hyphen of an id may be
// written as - or _ or be left out; an id without one (R7) has one spelling.
func newMatcher(reqs []requirement) matcher {
	m := matcher{hyphen: map[string]bool{}}
	var families []string
	for _, r := range reqs {
		f := r.family()
		if _, ok := m.hyphen[f]; !ok {
			m.hyphen[f] = strings.Contains(r.ID, "-")
			families = append(families, f)
		}
	}
	m.id = regexp.MustCompile(`(` + strings.Join(families, "|") + `)([-_]?)([1-9][0-9]*)`)
	return m
}

// find returns the ids in a test's name, in the spelling of the ids file, each
// once. An id is a word of its own: R1 is neither in R10 nor in HMACR1. Only the
// Test, Fuzz or Example that go test demands may stand directly before it.
func (m matcher) find(name string) []string {
	for _, kind := range []string{"Test", "Fuzz", "Example"} {
		name = strings.TrimPrefix(name, kind)
	}
	var ids []string
	for _, at := range m.id.FindAllStringSubmatchIndex(name, -1) {
		family, separator, number := name[at[2]:at[3]], name[at[4]:at[5]], name[at[6]:at[7]]
		if insideWord(name, at[0], at[1]) || separator != "" && !m.hyphen[family] {
			continue
		}
		id := family + number
		if m.hyphen[family] {
			id = family + "-" + number
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// insideWord reports whether a letter or digit touches name[from:to]. Any byte
// of a non-ASCII rune counts as a letter.
func insideWord(name string, from, to int) bool {
	letter := func(b byte) bool {
		return b >= 0x80 || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
	}
	return from > 0 && letter(name[from-1]) || to < len(name) && letter(name[to])
}
