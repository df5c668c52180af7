package secret_test

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"causeway/internal/secret"
)

func TestLoadOrCreateKeys_R12(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := secret.LoadKeys(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("LoadKeys without a file: %v", err)
	}
	first, err := secret.LoadOrCreateKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := secret.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if first.KeyID() != again.KeyID() {
		t.Error("the next start has another key")
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode != 0o600 {
		t.Errorf("the file was created with mode %04o", mode)
	}
}

// TestCreatorsAgree races many cells on an empty directory. Each must end with
// the same key, and none may see a file that is not whole.
func TestCreatorsAgree(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		path := filepath.Join(dir, "master.key")
		ids, start := make([]string, 8), make(chan struct{})
		var cells sync.WaitGroup
		for i := range ids {
			cells.Go(func() {
				<-start
				k, err := secret.LoadOrCreateKeys(path)
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = k.KeyID()
			})
		}
		close(start)
		cells.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Fatalf("the cells have different keys: %v", ids)
			}
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestKeyFileIsRefused_R12(t *testing.T) {
	whole := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, tt := range []struct {
		name, text string
		mode       fs.FileMode
		want       string // part of the error; empty means it is accepted
	}{
		{"bare", whole, 0o600, ""},
		{"with comments and Windows line ends", "# a\r\n\r\n" + whole + "\r\n", 0o400, ""},
		{"readable by the group", whole, 0o640, "mode 0640"},
		{"readable by others", whole, 0o604, "mode 0604"},
		{"writable by others", whole, 0o602, "mode 0602"},
		{"empty", "", 0o600, "0 keys"},
		{"two keys", whole + "\n" + whole, 0o600, "2 keys"},
		{"short", whole[:20], 0o600, "32 bytes"},
		{"31 bytes", base64.StdEncoding.EncodeToString(make([]byte, 31)), 0o600, "32 bytes"},
		{"not base64", strings.Repeat("!", 44), 0o600, "32 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && tt.mode&0o077 != 0 {
				t.Skip("Windows has no such modes")
			}
			path := filepath.Join(t.TempDir(), "master.key")
			if err := os.WriteFile(path, []byte(tt.text), tt.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil { // past the umask
				t.Fatal(err)
			}
			_, err := secret.LoadOrCreateKeys(path)
			if tt.want == "" && err != nil {
				t.Error(err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if err != nil && tt.text != "" && strings.Contains(err.Error(), tt.text) {
				t.Errorf("the error quotes the key: %v", err)
			}
		})
	}
	if _, err := secret.LoadKeys(t.TempDir()); err == nil {
		t.Error("a directory was read as a key")
	}
}
