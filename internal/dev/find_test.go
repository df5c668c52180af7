package dev

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is found in the common temporary folder names a site and what to trust: it
// must be ours, or somebody else gets our password.
func TestFind_R12_OnlyOurOwn(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Chdir(t.TempDir())
	folder := filepath.Join(temp, strings.ReplaceAll(tempFolders, "*", "1"))
	file := filepath.Join(folder, fileName)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(`{"sites":[{"name":"west"}]}`), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
	found := func() bool { f, err := Find(""); return err == nil && f.Sites[0].Name == "west" }

	write(file, 0o600)
	if !found() {
		t.Fatal("our own is not found")
	}
	write(file, 0o644)
	if found() {
		t.Error("a file that everybody reads is taken")
	}
	write(file, 0o600)
	if os.Geteuid() == 0 {
		if err := os.Chown(file, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if found() {
			t.Error("somebody else's file is taken")
		}
	}
	elsewhere := filepath.Join(temp, "elsewhere")
	write(elsewhere, 0o600)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, file); err != nil {
		t.Fatal(err)
	}
	if found() {
		t.Error("a link is followed")
	}
}
