package deptest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// graph holds the packages of this module and what each imports directly.
type graph map[string]imports

type imports struct{ code, tests []string }

// load asks go list; -e because a package that does not build still has imports.
func load(t *testing.T) graph {
	t.Helper()
	// go test keeps results until a file changes that the test looked at; go list
	// looks at them in a process of its own.
	err := filepath.WalkDir("../..", func(_ string, _ fs.DirEntry, err error) error { return err })
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "causeway/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	g := graph{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		g[p.ImportPath] = imports{code: p.Imports, tests: slices.Concat(p.TestImports, p.XTestImports)}
	}
	if _, ok := g["causeway/internal/deptest"]; !ok {
		t.Fatalf("go list does not know this package: %v", slices.Sorted(maps.Keys(g)))
	}
	return g
}

// violations returns the imports of c.what outside c.in.
func (c containment) violations(g graph) (bad []edge) {
	for _, from := range slices.Sorted(maps.Keys(g)) {
		if match(from, c.in) {
			continue
		}
		for _, to := range slices.Concat(g[from].code, g[from].tests) {
			if match(to, c.what) && !slices.Contains(bad, edge{from, to}) {
				bad = append(bad, edge{from, to})
			}
		}
	}
	return bad
}

// violations returns the shortest chain of imports from each package of b.from
// to each banned one.
func (b ban) violations(g graph) (bad [][]string) {
	for _, from := range slices.Sorted(maps.Keys(g)) {
		if match(from, b.from) {
			bad = append(bad, b.reached(g, from)...)
		}
	}
	return bad
}

// reached walks breadth first. It does not walk on from another package of
// b.from: that one answers for itself.
func (b ban) reached(g graph, from string) (bad [][]string) {
	seen := map[string]bool{from: true}
	for queue := [][]string{{from}}; len(queue) > 0; queue = queue[1:] {
		chain := queue[0]
		for _, to := range g[chain[len(chain)-1]].code {
			if seen[to] {
				continue
			}
			seen[to] = true
			next := append(slices.Clone(chain), to)
			switch {
			case match(to, b.to):
				bad = append(bad, next)
			case !match(to, b.from):
				queue = append(queue, next)
			}
		}
	}
	return bad
}

// match reports whether a pattern takes pkg in and none with ! takes it out.
func match(pkg string, patterns []string) (in bool) {
	for _, p := range patterns {
		if out, ok := strings.CutPrefix(p, "!"); ok {
			if matchOne(pkg, out) {
				return false
			}
		} else if matchOne(pkg, p) {
			in = true
		}
	}
	return in
}

func matchOne(pkg, pattern string) bool {
	tree, below := strings.CutSuffix(pattern, "/...")
	if below {
		elements := strings.Split(pkg, "/")
		pkg = strings.Join(elements[:min(len(elements), strings.Count(tree, "/")+1)], "/")
	}
	ok, err := path.Match(tree, pkg)
	return ok && err == nil
}
