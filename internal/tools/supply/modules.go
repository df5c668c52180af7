package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A module that something of ours imports, and what its authors demand.
type module struct {
	Path, Version, dir string
	// shipped: in a binary of a release, and not only in tests and tools.
	shipped bool
	files   []licence
}

// platforms are those that a release is built for.
var platforms = []string{"amd64", "arm64"}

// pkg is what we ask go list for.
type pkg struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// load finds the modules by the packages that are compiled: a module in go.mod of
// which nothing is used binds us to nothing.
func load() ([]module, error) {
	found := map[string]*module{}
	dirs := map[string][]string{} // by module, where its packages are
	note := func(pkgs []pkg, shipped bool) {
		for _, p := range pkgs {
			if p.Module == nil || p.Module.Main {
				continue
			}
			m := found[p.Module.Path]
			if m == nil {
				m = &module{Path: p.Module.Path, Version: p.Module.Version, dir: p.Module.Dir}
				found[m.Path] = m
			}
			m.shipped = m.shipped || shipped
			dirs[m.Path] = append(dirs[m.Path], p.Dir)
		}
	}
	for _, arch := range platforms {
		pkgs, err := packages(arch, "./cmd/causeway")
		if err != nil {
			return nil, err
		}
		note(pkgs, true)
	}
	tests, err := packages(platforms[0], "-test", "./...")
	if err != nil {
		return nil, err
	}
	note(tests, false)
	var all []module
	for path, m := range found {
		files, err := licenceFiles(m.dir, dirs[path])
		if err != nil {
			return nil, err
		}
		m.files = files
		all = append(all, *m)
	}
	if len(all) == 0 {
		return nil, errors.New("go list names no module: is this the root of the repository?")
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

func packages(arch string, args ...string) ([]pkg, error) {
	cmd := exec.Command("go", append([]string{"list", "-deps", "-json=Dir,Module"}, args...)...)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, &stderr)
	}
	var pkgs []pkg
	for in := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
}

// licenceFiles are those beside a used package and above it, up to the module's
// root: a package that was copied in has its own.
func licenceFiles(root string, dirs []string) ([]licence, error) {
	var files []licence
	seen := map[string]bool{}
	for _, dir := range dirs {
		for ; !seen[dir]; dir = filepath.Dir(dir) {
			seen[dir] = true
			entries, err := os.ReadDir(dir)
			if err != nil {
				return nil, err
			}
			for _, e := range entries {
				if e.IsDir() || !isLicence(e.Name()) {
					continue
				}
				l, err := readLicence(root, filepath.Join(dir, e.Name()))
				if err != nil {
					return nil, err
				}
				files = append(files, l)
			}
			if dir == root {
				break
			}
		}
	}
	slices.SortFunc(files, func(a, b licence) int { return strings.Compare(a.name, b.name) })
	return files, nil
}
