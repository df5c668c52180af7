package pgcluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// debianBins is where Debian keeps each major version's programs, outside PATH.
const debianBins = "/usr/lib/postgresql/*/bin"

// Find returns the directory of PostgreSQL's programs: only if it is not empty,
// else the one in PATH, Debian's newest, or what pg_config names.
func Find(only string) (dir string, ok bool) {
	if only != "" {
		return only, complete(only)
	}
	if p, err := exec.LookPath("initdb"); err == nil && complete(filepath.Dir(p)) {
		return filepath.Dir(p), true
	}
	dirs, _ := filepath.Glob(debianBins) // the pattern is well formed
	if dir, ok := newest(dirs); ok {
		return dir, true
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dir = strings.TrimSpace(string(out))
	}
	return dir, dir != "" && complete(dir)
}

// newest picks the highest version among .../<version>/bin: by number, since
// 9.6 is older than 15.
func newest(dirs []string) (best string, ok bool) {
	highest := -1.0
	for _, dir := range dirs {
		version, err := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64)
		if err == nil && version > highest && complete(dir) {
			best, highest = dir, version
		}
	}
	return best, best != ""
}

// complete is false for a client-only installation, which has no server.
func complete(dir string) bool {
	for _, program := range []string{"initdb", "postgres", "pg_ctl"} {
		if info, err := os.Stat(filepath.Join(dir, program)); err != nil || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}
