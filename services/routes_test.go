package services

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"causeway/internal/problem"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	route := func(path string, methods ...string) Route {
		return Route{Methods: methods, Path: path, Permission: "x:p"}
	}
	n := compileRoutes([]Route{
		route("/a", "GET"), route("/a/*", "GET"), route("/a/{id}/b", "POST"), route("/a/c/b", "POST", "DELETE"),
		route("/{any}/b", "PUT"), route("/ws", WebSocket), route("/", "GET"), route("/unknown", "GET"),
	}, map[Permission]int{"x:p": 3})
	for _, tt := range []struct {
		name, method, path string
		order              int // -1 is none
	}{
		{"exact", "GET", "/a", 0},
		{"the head of it", "HEAD", "/a", 0},
		{"another method", "POST", "/a", -1},
		{"with a slash", "GET", "/a/", -1},
		{"below", "GET", "/a/x", 1},
		{"far below", "GET", "/a/x/y/z", 1},
		{"below, with a slash", "GET", "/a/x/", 1},
		{"what only begins alike", "GET", "/ab", -1},
		{"in other case", "GET", "/A", -1},
		{"any segment", "POST", "/a/7/b", 2},
		{"the first that fits, though a later one is closer", "POST", "/a/c/b", 2},
		{"a later one by its method", "DELETE", "/a/c/b", 3},
		{"an empty segment", "POST", "/a//b", -1},
		{"the first segment may be any", "PUT", "/x/b", 4},
		{"but is not empty", "PUT", "//b", -1},
		{"a WebSocket", WebSocket, "/ws", 5},
		{"is no GET", "GET", "/ws", -1},
		{"the root", "GET", "/", 6},
		{"no path", "GET", "", -1},
		{"no absolute path", "GET", "a", -1},
		{"a method of nobody's", "BREW", "/a", -1},
		{"methods have their case", "get", "/a", -1},
		{"an asterisk is no path", "GET", "*", -1},
	} {
		got := -1
		if r := n.match(tt.method, tt.path); r != nil {
			got = r.order
		}
		if got != tt.order {
			t.Errorf("%s: %s %s leads to %d, want %d", tt.name, tt.method, tt.path, got, tt.order)
		}
	}
}

// fits is the rule as the type says it, one route after the other.
func fits(r Route, method, path string) bool {
	if !slices.Contains(r.Methods, method) && (method != "HEAD" || !slices.Contains(r.Methods, "GET")) {
		return false
	}
	pattern, given := strings.Split(r.Path, "/"), strings.Split(path, "/")
	for i, p := range pattern {
		switch {
		case i >= len(given):
			return false
		case p == "*" && i == len(pattern)-1:
			return given[i] != ""
		case strings.HasPrefix(p, "{"):
			if given[i] == "" {
				return false
			}
		case p != given[i]:
			return false
		}
	}
	return len(pattern) == len(given)
}

// The tree finds what going through the list finds.
func TestRoutes_R9_AgreeWithTheList(t *testing.T) {
	t.Parallel()
	index, hits := map[Permission]int{"x:p": 0}, 0
	for seed := range uint64(3000) {
		c := chance{rand.New(rand.NewPCG(seed, 2))}
		var routes []Route
		for range 1 + c.IntN(12) {
			routes = append(routes, Route{Methods: []string{[]string{"GET", "POST", "HEAD"}[c.IntN(3)]}, Path: c.path("a", "b", "{x}", "{y}", "*"), Permission: "x:p"})
		}
		tree := compileRoutes(routes, index)
		for range 20 {
			method, path := []string{"GET", "POST", "HEAD", "PUT"}[c.IntN(4)], c.path("a", "b", "c", "", "*")
			want := slices.IndexFunc(routes, func(r Route) bool { return fits(r, method, path) })
			got := -1
			if r := tree.match(method, path); r != nil {
				got = r.order
				hits++
			}
			if got != want {
				t.Fatalf("seed %d: %s %s leads to %d, want %d of %v", seed, method, path, got, want, routes)
			}
		}
	}
	if hits < 5000 {
		t.Errorf("only %d calls led anywhere", hits)
	}
}

// path draws a path of segments; an asterisk only where it may stand.
func (c chance) path(segments ...string) string {
	var b strings.Builder
	for n := 1 + c.IntN(4); n > 0; n-- {
		s := segments[c.IntN(len(segments))]
		if s == "*" && n > 1 {
			s = "a"
		}
		b.WriteString("/" + s)
	}
	return b.String()
}

func FuzzParseDefinition(f *testing.F) {
	data, err := definitionFiles.ReadFile("definitions/operations-for-applications.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, text := range []string{
		"", "{}", "[]", "a: b", "name: X\nprefix: x\nroles: [{name: x:a}]", `{"name":"X","prefix":"x","roles":[{"name":"x:a","all":true}]}`,
		"&a [*a]", "? [a]\n: b", "- - - - - a", strings.Repeat("[", 5000), strings.Repeat("- ", 5000), strings.Repeat("{a: ", 5000), "%YAML 1.2\n---\na: b", "!!binary a", "\x00", "<<: {a: b}",
		"name: |\n  X\nprefix: x", "name: \"\\u0000\"", "a: 1\n---\nb: 2",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseDefinition(data)
		if err != nil {
			if problem.As(err) == nil || problem.As(err).Code.Row().Status >= 500 {
				t.Fatalf("it was refused by %v", err)
			}
			return
		}
		if err := CheckDefinition(d); err != nil || d.BuiltIn || !d.UpdatedAt.IsZero() {
			t.Fatalf("it read %+v: %v", d, err)
		}
		c := Compile(d)
		for _, r := range d.Routes { // no route is lost
			if c.routes.match(r.Methods[0], example(r.Path)) == nil && !strings.ContainsAny(r.Path, "{") {
				t.Fatalf("nothing is at %q", r.Path)
			}
		}
	})
}

func TestParseDefinition(t *testing.T) {
	t.Parallel()
	const ok = "name: X\nprefix: svc\npermissions: [{name: svc:a}]\nroles:\n  - name: svc:r\n    permissions: [svc:a]\n"
	for _, tt := range []struct{ name, text, want string }{
		{"the least", ok, ""},
		{"the same in JSON", `{"name":"X","prefix":"svc","permissions":[{"name":"svc:a"}],"roles":[{"name":"svc:r","permissions":["svc:a"]}]}`, ""},
		{"as it is shown", `{"name":"X","prefix":"svc","roles":[{"name":"svc:r","all":true}],"builtIn":true,"updatedAt":"2026-01-01T00:00:00Z"}`, ""},
		{"a route", ok + "routes: [{methods: [GET], path: /a/{id}/*, permission: svc:a}]", "cannot be read"}, // braces need quotes
		{"a route with quotes", ok + `routes: [{methods: [GET], path: "/a/{id}/*", permission: svc:a}]`, ""},
		{"a task of people", ok + `routes: [{methods: [GET], path: /a, people: true}]`, ""},
		{"a route for nobody", ok + `routes: [{methods: [GET], path: /a}]`, "needs a permission"},
		{"a route of an unknown permission", ok + `routes: [{methods: [GET], path: /a, permission: svc:b}]`, "not one of the service's"},
		{"a route of no method", ok + `routes: [{path: /a, permission: svc:a}]`, "names no method"},
		{"a route of an unknown method", ok + `routes: [{methods: [get], path: /a, permission: svc:a}]`, "which is none"},
		{"an asterisk in the middle", ok + `routes: [{methods: [GET], path: "/a/*/b", permission: svc:a}]`, "must be of names"},
		{"a dot segment", ok + `routes: [{methods: [GET], path: "/a/../b", permission: svc:a}]`, "must be of names"},
		{"an encoded path", ok + `routes: [{methods: [GET], path: "/a%2fb", permission: svc:a}]`, "must be of names"},
		{"a relative path", ok + `routes: [{methods: [GET], path: "a", permission: svc:a}]`, "begin with a slash"},
		{"a misspelt member", ok + "rotes: []", "cannot be read"},
		{"a member that is there twice", ok + "name: Y", "cannot be read"},
		{"an anchor", "name: &a X\nprefix: svc\nroles: [{name: svc:r}]", "anchors"},
		{"a second document", ok + "---\na: b", "second document"},
		{"another object", `{"name":"X","prefix":"svc","roles":[{"name":"svc:r"}]}{}`, "follows"},
		{"an unknown permission in a role", "name: X\nprefix: svc\nroles:\n  - name: svc:r\n    permissions: [svc:a]", "not one of the service's"},
		{"a role of everything that lists some", "name: X\nprefix: svc\npermissions: [{name: svc:a}]\nroles:\n  - name: svc:r\n    all: true\n    permissions: [svc:a]", "lists some"},
		{"another prefix", "name: X\nprefix: svc\nroles: [{name: foo:r}]", "must be svc:"},
		{"two roles alike", "name: X\nprefix: svc\nroles: [{name: svc:r}, {name: svc:r}]", "twice"},
		{"two permissions alike", "name: X\nprefix: svc\npermissions: [{name: svc:a}, {name: svc:a}]\nroles: [{name: svc:r}]", "twice"},
		{"no role", "name: X\nprefix: svc", "needs a role"},
		{"no name", "prefix: svc\nroles: [{name: svc:r}]", "its name"},
		{"an id that is none", ok + "id: 7", "UUID"},
		{"too deep in brackets", "name: " + strings.Repeat("[", 50), "too deeply"},
		{"too deep in dashes", strings.Repeat("- ", 100), "too deeply"},
		{"too long", ok + "#" + strings.Repeat("x", maxDefinition), "at most"},
		{"not UTF-8", "name: \xff", "UTF-8"},
	} {
		_, err := ParseDefinition([]byte(tt.text))
		if (err == nil) != (tt.want == "") || err != nil && (!problem.Has(err, problem.BadRequest) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
