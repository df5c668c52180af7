package secret

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const keyFileHeader = `# Causeway master key. It opens what the database keeps sealed.
# Back it up apart from the database; without it every token and key is lost.
`

// LoadKeys reads the master key from a file. On Unix it refuses a file that
// group or others can read.
func LoadKeys(path string) (*Keys, error) {
	master, err := readKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("secret: master key: %w", err)
	}
	return NewKeys(master)
}

// LoadOrCreateKeys is LoadKeys, after creating the file if there is none. Cells
// that start together on shared storage agree on one key. A caller whose
// database is not empty wants LoadKeys: a new key cannot open old values.
func LoadOrCreateKeys(path string) (*Keys, error) {
	keys, err := LoadKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if err := createKeyFile(path); err != nil {
		return nil, fmt.Errorf("secret: create the master key: %w", err)
	}
	return LoadKeys(path)
}

// createKeyFile puts a complete, synced file in place or leaves the one that
// somebody else put there first. A hard link does both in one step: creating
// the file under its own name would let another process read it half written.
func createKeyFile(path string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".master-key-*") // O_EXCL, 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := writeKey(f); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

func writeKey(f *os.File) error {
	master := make([]byte, masterSize)
	random(master)
	_, err := f.WriteString(keyFileHeader + base64.StdEncoding.EncodeToString(master) + "\n")
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the new name survive a power cut. Windows cannot sync a
// directory and does not need it.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := private(f); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return nil, err
	}
	master, err := parseKeyFile(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return master, nil
}

// private looks at the open file, not at the name, which could change between
// the look and the read.
func private(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", f.Name())
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return fmt.Errorf("%s is open to others (mode %04o): chmod 600 it, and if anybody may have read it, replace the key", f.Name(), mode)
	}
	return nil
}

// parseKeyFile reads the one line that is neither empty nor a comment. Its
// errors quote nothing: the line is the key.
func parseKeyFile(text string) ([]byte, error) {
	var found []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			found = append(found, line)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("holds %d keys instead of one", len(found))
	}
	master, err := base64.StdEncoding.Strict().DecodeString(found[0])
	if err != nil || len(master) != masterSize {
		return nil, fmt.Errorf("does not hold %d bytes in base64", masterSize)
	}
	return master, nil
}
