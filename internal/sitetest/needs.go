package sitetest

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Needs skips a test on a machine that lacks a program, and says which Debian packages
// bring it; CI installs them.
func Needs(t testing.TB, program, packages string) (path string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} { // often not in the PATH of people
			if path, err = exec.LookPath(filepath.Join(dir, program)); err == nil {
				return path
			}
		}
		t.Skipf("%s is missing: install the Debian package %s", program, packages)
	}
	return path
}
