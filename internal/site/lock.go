package site

import "github.com/gofrs/flock"

// Lock holds a file until unlock is called or the process ends: processes that
// share a folder prepare it one after the other.
func Lock(file string) (unlock func(), err error) {
	l := flock.New(file, flock.SetPermissions(0o600))
	if err := l.Lock(); err != nil {
		return nil, err
	}
	return func() { _ = l.Unlock() }, nil
}
