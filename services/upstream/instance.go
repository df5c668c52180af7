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

// Instance is a service behind the gateway: one that the configuration names, whose
// rules ask for rights, or one of an organization, whose definition asks for
// permissions.
type Instance struct {
	Name     string
	Prefix   string   // absolute, without a trailing slash; empty for one that is found by its host alone
	Upstream *url.URL // of a configured one
	Rules    []Rule   // of a configured one

	// Service is set for an instance of an organization.
	Service *services.ServiceInstance

	pool *pool
}

// Table finds a configured instance and the right for a path. It never changes.
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

// Match is what a call leads to. Instance is nil when nobody has the path; Right is
// empty when a configured instance has no rule for the call, which nobody may then
// make. Of an organization's instance Path is what its definition judges and what
// is asked of its upstream.
type Match struct {
	Instance  *Instance
	Right     tenants.Right
	WebSocket bool // the call may become one
	Path      string
	ByHost    bool // the instance has the whole host
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
				return Match{Instance: in, Right: r.Right, WebSocket: method == services.WebSocket, Path: path}
			}
		}
		return Match{Instance: in, Path: path}
	}
	return Match{}
}

// covers goes through both segment by segment.
func (r Rule) covers(path string) bool {
	pattern := r.Path
	for {
		p, morePattern, patternGoesOn := strings.Cut(pattern, "/")
		given, more, goesOn := strings.Cut(path, "/")
		switch {
		case p == "*" && !patternGoesOn:
			return given != ""
		case strings.HasPrefix(p, "{") && given != "":
		case p != given:
			return false
		}
		if !patternGoesOn || !goesOn {
			return patternGoesOn == goesOn
		}
		pattern, path = morePattern, more
	}
}
