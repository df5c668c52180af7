//go:build unix

package tokenfile

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives f the owner of the file that it will replace: root may renew
// the token of an app that runs as somebody else. Nobody else can; then the file
// belongs to whoever wrote it, as its folder allowed.
func keepOwner(f *os.File, old fs.FileInfo) {
	if s, ok := old.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(int(s.Uid), int(s.Gid))
	}
}
