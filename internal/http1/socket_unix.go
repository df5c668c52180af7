//go:build unix

package http1

import (
	"errors"
	"syscall"
)

// readOnce reads what a socket has, which never waits, or fails with errNothing.
func readOnce(fd uintptr, p []byte) (int, error) {
	n, err := syscall.Read(int(fd), p)
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return 0, errNothing
	}
	return n, err
}
