package sitetest

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// inNamespace calls do on a thread of a network namespace. Sockets that do makes
// belong there for as long as they are open.
func inNamespace(name string, do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this goroutine, and serves nobody else
		done <- func() error {
			ns, err := os.Open("/run/netns/" + name)
			if err != nil {
				return err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return os.NewSyscallError("setns", err)
			}
			return do()
		}()
	}()
	return <-done
}
