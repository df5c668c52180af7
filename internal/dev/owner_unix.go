//go:build unix

package dev

import (
	"io/fs"
	"os"
	"syscall"
)

// mine reports whether a file belongs to who runs this: a file of somebody else in
// the common temporary folder could name their site, and get our password.
func mine(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid()
}
