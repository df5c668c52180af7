package testjson

import (
	"io"
	"os/exec"
	"syscall"

	"causeway/internal/tools/child"
)

// GoTest runs `go test -json args...`, calls each for every event while it runs,
// and returns its exit code. The stream is also copied to keep.
func GoTest(args []string, keep, stderr io.Writer, each func(Event)) (int, error) {
	events, w := io.Pipe()
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stdout = io.MultiWriter(keep, w)
	cmd.Stderr = stderr
	// The go command would leave its test binaries behind when it is terminated.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}

	read := make(chan error, 1)
	go func() {
		err := Read(events, each)
		events.CloseWithError(err) // or go test would wait for a reader
		read <- err
	}()
	code, err := child.Run(cmd)
	w.Close() // never fails
	if readErr := <-read; err == nil {
		err = readErr
	}
	return code, err
}
