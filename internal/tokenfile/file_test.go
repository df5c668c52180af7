package tokenfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/internal/secret"
)

func write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func wantToken(t *testing.T, path string, want secret.Text) {
	t.Helper()
	token, err := Read(path)
	if err != nil || token.Refresh != want {
		t.Errorf("%s holds %q, %v, want %q", path, token.Refresh.Reveal(), err, want.Reveal())
	}
}

func wantMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Perm() != want {
		t.Errorf("%s: %v, %v, want mode %o", path, info, err, want)
	}
}

func TestSaveMakesAPrivateFile_R12(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.token")
	f := open(t, path)
	if _, err := f.Token(); !errors.Is(err, ErrNoToken) {
		t.Errorf("an absent file: %v", err)
	}
	if err := f.Save(Token{Type: ServiceAccount, Refresh: "first"}); err != nil {
		t.Fatal(err)
	}
	wantToken(t, path, "first")
	wantMode(t, path, 0o600)
	wantMode(t, path+".lock", 0o600)
	if f.Exposed() {
		t.Error("its own file is called exposed")
	}
}

func TestSaveKeepsModeAndLink(t *testing.T) {
	folder, linked := t.TempDir(), t.TempDir()
	target, link := filepath.Join(folder, "app.token"), filepath.Join(linked, "token")
	write(t, target, `{"refresh_token":"old"}`, 0o640)
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	f := open(t, link)
	if !f.Exposed() {
		t.Error("a file that others read is not called exposed")
	}
	if err := f.Save(Token{Refresh: "new"}); err != nil {
		t.Fatal(err)
	}
	wantToken(t, target, "new")
	wantMode(t, target, 0o640)
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
	for folder, want := range map[string]int{folder: 2, linked: 1} { // the token and its lock; the link
		if entries, err := os.ReadDir(folder); err != nil || len(entries) != want {
			t.Errorf("%s holds %v, %v", folder, entries, err)
		}
	}
}

// What a crash left half-written is in nobody's way, and does not stay.
func TestSaveAfterACrash(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "app.token")
	write(t, path, `{"refresh_token":"old"}`, 0o600)
	write(t, filepath.Join(folder, ".app.token.new"), `{"refresh_tok`, 0o600)
	f := open(t, path)
	if err := errors.Join(f.Try(), f.Save(Token{Refresh: "new"})); err != nil {
		t.Fatal(err)
	}
	wantToken(t, path, "new")
	if entries, _ := os.ReadDir(folder); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestOpenRefuses(t *testing.T) {
	folder := t.TempDir()
	dangling := filepath.Join(folder, "dangling")
	if err := os.Symlink(filepath.Join(folder, "absent"), dangling); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		folder:                                   "not a regular file",
		dangling:                                 "does not exist",
		filepath.Join(folder, "no", "app.token"): "no such file",
	} {
		f, err := Open(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
		if err == nil {
			f.Close()
		}
	}
}

func TestReadRefusesWhatIsTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.token")
	write(t, path, `{"refresh_token":"t"}`+strings.Repeat(" ", maxFile), 0o600)
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("got %v", err)
	}
}

func TestLockIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.token")
	first := open(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 3*lockRetry)
	defer cancel()
	if _, err := Open(ctx, path); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a held lock: %v", err)
	}
	got := make(chan error)
	go func() {
		f, err := Open(t.Context(), path)
		if err == nil {
			err = f.Close()
		}
		got <- err
	}()
	select {
	case err := <-got:
		t.Fatalf("two hold the lock, or none: %v", err)
	case <-time.After(3 * lockRetry):
	}
	if err := errors.Join(first.Close(), <-got); err != nil {
		t.Error(err)
	}
}

func TestRenew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.token")
	renew := func(successor secret.Text, fails error) error {
		return Renew(t.Context(), path, "causeway", func(_ context.Context, token secret.Text) (secret.Text, error) { return successor, fails })
	}
	if err := renew("new", nil); !errors.Is(err, ErrNoToken) {
		t.Errorf("without a file: %v", err)
	}
	write(t, path, `{"refresh_token":"old","token_type":"API Token","updated_by":"me"}`, 0o600)
	before, _ := os.ReadFile(path)
	for _, successor := range []secret.Text{"", "old"} { // a token that does not rotate
		if err := renew(successor, nil); err != nil {
			t.Error(err)
		}
	}
	if err := renew("new", errors.New("refused")); err == nil || err.Error() != "refused" {
		t.Errorf("a refusal: %v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Errorf("the file became %s", after)
	}
	if err := renew("new", nil); err != nil {
		t.Fatal(err)
	}
	token, err := Read(path)
	if err != nil || token.Refresh != "new" || token.Type != APIToken || token.UpdatedBy != "causeway" || time.Since(token.UpdatedOn) > time.Hour {
		t.Errorf("renewed to %+v, %v", token, err)
	}
}
