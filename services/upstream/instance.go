package upstream

import (
	"fmt"
	"net/url"
	"strings"

	"causeway/services"
	"causeway/tenants"
)

// Rule gives the right that a call needs. In Path, {name} stands for one segment
// and a last * for everything below.
type Rule struct {
	Method string
	Path   string
	Right  tenants.Right
}

// Instance is a service reached by a path prefix.
type Instance struct {
	Name     string
	Prefix   string // absolute, without a trailing slash
	Upstream *url.URL
	Rules    []Rule
}

// Table finds the instance and the right for a path. It never changes.
type Table struct{ instances []Instance }

// NewTable checks the instances: prefixes must be absolute, distinct and not
// inside one another, and every right known.
func NewTable(instances []Instance) (*Table, error) {
	for i, in := range instances {
		if !strings.HasPrefix(in.Prefix, "/") || len(in.Prefix) < 2 || strings.HasSuffix(in.Prefix, "/") {
			return nil, fmt.Errorf("instance %s: prefix %q must be like /name", in.Name, in.Prefix)
		}
		for _, other := range instances[:i] {
			if within(in.Prefix, other.Prefix) || within(other.Prefix, in.Prefix) {
				return nil, fmt.Errorf("instances %s and %s overlap", in.Name, other.Name)
			}
		}
		for _, r := range in.Rules {
			if _, ok := tenants.LookUpRight(r.Right); !ok {
				return nil, fmt.Errorf("instance %s: unknown right %q", in.Name, r.Right)
			}
		}
	}
	return &Table{instances: instances}, nil
}

func within(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// Match is what a path leads to. Instance is nil when no instance has the path;
// Right is empty when the instance has no rule for the call, which nobody may
// then make.
type Match struct {
	Instance  *Instance
	Right     tenants.Right
	WebSocket bool // the call may become one
}

// Match finds the instance for a canonical path.
func (t *Table) Match(method, path string) Match {
	for i := range t.instances {
		in := &t.instances[i]
		if !within(path, in.Prefix) {
			continue
		}
		for _, r := range in.Rules {
			if r.Method == method && r.covers(path) {
				return Match{Instance: in, Right: r.Right, WebSocket: method == services.WebSocket}
			}
		}
		return Match{Instance: in}
	}
	return Match{}
}

func (r Rule) covers(path string) bool {
	pattern, given := strings.Split(r.Path, "/"), strings.Split(path, "/")
	for i, p := range pattern {
		switch {
		case i >= len(given):
			return false
		case p == "*" && i == len(pattern)-1:
			return given[i] != ""
		case strings.HasPrefix(p, "{") && given[i] != "":
		case p != given[i]:
			return false
		}
	}
	return len(pattern) == len(given)
}
