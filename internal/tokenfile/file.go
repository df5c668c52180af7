package tokenfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"causeway/internal/atomicfile"
)

// lockRetry is how often a lock that somebody holds is tried again.
const lockRetry = 20 * time.Millisecond

// File is a token file whose lock this process holds.
type File struct {
	path string // where the token is: symbolic links are followed once, at Open
	lock *flock.Flock
}

// Open takes the lock of the file at path and waits for it until ctx ends. The
// file itself need not exist. A symbolic link stays what it is; what it points
// to is read and replaced.
func Open(ctx context.Context, path string) (*File, error) {
	target, err := resolve(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: target, lock: flock.New(target+".lock", flock.SetPermissions(0o600))}
	if _, err := f.lock.TryLockContext(ctx, lockRetry); err != nil {
		if ctx.Err() != nil {
			return nil, &busyError{path, err}
		}
		return nil, fmt.Errorf("cannot lock the token file: %w", err)
	}
	return f, nil
}

// busyError says what a wait for the lock means that has ended.
type busyError struct {
	path string
	err  error // ctx's
}

func (e *busyError) Error() string { return "another process is using " + e.path }
func (e *busyError) Unwrap() error { return e.err }

// resolve follows symbolic links. Only a regular file, or nothing yet, can be
// replaced.
func resolve(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, linkErr := os.Lstat(path); linkErr == nil {
			return "", fmt.Errorf("%s is a link to a file that does not exist", path)
		}
		folder, err := filepath.EvalSymlinks(filepath.Dir(path))
		return filepath.Join(folder, filepath.Base(path)), err
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(target)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	return target, err
}

// Token reads the file; ErrNoToken if it is absent or empty.
func (f *File) Token() (Token, error) { return read(f.path) }

// Read reads a token without the lock: for tokens that do not rotate.
func Read(path string) (Token, error) { return read(path) }

func read(path string) (Token, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Token{}, fmt.Errorf("%s: %w", path, ErrNoToken)
	}
	if err != nil {
		return Token{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = errors.New("it is too large")
	}
	var token Token
	if err == nil {
		token, err = parse(text)
	}
	if err != nil {
		return Token{}, fmt.Errorf("%s: %w", path, err)
	}
	return token, nil
}

// Exposed reports whether others than the owner can read the file.
func (f *File) Exposed() bool {
	info, err := os.Stat(f.path)
	return err == nil && info.Mode().Perm()&0o077 != 0
}

// Try makes sure that Save can work: a token that is granted and cannot be
// written is lost.
func (f *File) Try() error {
	tmp, err := f.create()
	if err != nil {
		return err
	}
	return errors.Join(tmp.Close(), os.Remove(tmp.Name()))
}

// Save replaces the file's content. Mode and owner stay where this process may
// set them; a new file is readable by its owner only. On an error the file is as
// it was.
func (f *File) Save(t Token) error {
	body, err := t.encode()
	if err != nil {
		return err
	}
	tmp, err := f.create()
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(f.path); err == nil {
		mode = info.Mode().Perm()
		keepOwner(tmp, info)
	}
	return atomicfile.Commit(tmp, f.path, body, mode)
}

// create makes the file that Save fills. It always has the same name, so that
// what a crash leaves behind is not there for ever; the lock makes that safe.
func (f *File) create() (*os.File, error) {
	name := filepath.Join(filepath.Dir(f.path), "."+filepath.Base(f.path)+".new")
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// Close gives the lock back. The lock's file stays: whoever removes it while
// another process waits for it lets two in.
func (f *File) Close() error { return f.lock.Close() }
