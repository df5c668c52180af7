// Package atomicfile replaces files whole or not at all.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write puts body into file with the given mode, through a new file beside it.
// A crash leaves the old content or the new.
func Write(file string, body []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	return Commit(tmp, file, body, mode)
}

// Commit fills tmp, which must be a new file in the same folder, and puts it in
// the place of file. It closes tmp, and removes it if anything fails. When it
// returns nil, a power cut no longer brings the old content back.
func Commit(tmp *os.File, file string, body []byte, mode fs.FileMode) error {
	defer os.Remove(tmp.Name()) // gone after the rename
	if err := errors.Join(tmp.Chmod(mode), writeSync(tmp, body), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), file); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(file))
}

func writeSync(f *os.File, body []byte) error {
	if _, err := f.Write(body); err != nil {
		return err
	}
	return f.Sync()
}

// Keep is Commit for a new file that has been filled already.
func Keep(tmp *os.File, file string, mode fs.FileMode) error {
	return Commit(tmp, file, nil, mode)
}
