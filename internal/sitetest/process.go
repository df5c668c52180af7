package sitetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"causeway/internal/dev"
	"causeway/internal/porttest"
)

// binary builds the gateway once per test binary, static as `make build` does.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "causeway-binary-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "causeway")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file, "causeway/cmd/causeway")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("go build: %w\n%s", err, out), os.RemoveAll(dir))
	}
	built = dir
	return file, nil
})

var built string // set by binary

// Main runs the tests of a package that starts processes and removes the binary
// after them. Call it in TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// Process is a running causeway.
type Process struct {
	cmd   *exec.Cmd
	out   output
	errs  output
	ended chan struct{}
}

// Build makes the binary, unless it is there, and returns its path.
func Build(t testing.TB) string {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Launch starts the built gateway. What still runs when the test ends is killed.
func Launch(t testing.TB, args ...string) *Process {
	t.Helper()
	return LaunchIn(t, nil, args...)
}

// LaunchIn is Launch by a command that runs what is appended to it, such as one
// that enters a network namespace.
func LaunchIn(t testing.TB, within []string, args ...string) *Process {
	t.Helper()
	line := slices.Concat(within, []string{Build(t)}, args)
	p := &Process{cmd: exec.Command(line[0], line[1:]...), ended: make(chan struct{})}
	p.out.more, p.errs.more = make(chan struct{}), make(chan struct{})
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.errs
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the exit code says all that the error would
	}()
	t.Cleanup(func() {
		select {
		case <-p.ended:
			return
		default:
		}
		if !t.Failed() {
			t.Errorf("causeway %v is still running at the end of the test", args)
		}
		p.Kill()
	})
	return p
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Out and Err are what has been printed so far.
func (p *Process) Out() string { return p.out.String() }
func (p *Process) Err() string { return p.errs.String() }

// Kill ends the process the hard way and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Signal sends a signal.
func (p *Process) Signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// Exit waits for the end and returns the exit code; a process that a signal
// ended has -1.
func (p *Process) Exit(t testing.TB, within time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		p.dump()
		t.Fatalf("still running after %s\n%s", within, p.Err())
		return 0
	}
}

// dump ends the process in the way that says where it hangs.
func (p *Process) dump() {
	_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it may have ended by itself
	<-p.ended
}

// Stop asks the process to end, as a supervisor does, and fails the test unless
// it does so in time, with code 0 and without a word on standard error.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	p.Signal(t, syscall.SIGTERM)
	if code := p.Exit(t, 20*time.Second); code != 0 {
		t.Fatalf("exit code %d after SIGTERM\n%s", code, p.Err())
	}
}

// AwaitOut waits until f finds what it looks for in what was printed.
func (p *Process) AwaitOut(t testing.TB, within time.Duration, f func(string) bool) {
	t.Helper()
	p.await(t, within, &p.out, f)
}

// AwaitErr is AwaitOut for standard error.
func (p *Process) AwaitErr(t testing.TB, within time.Duration, f func(string) bool) {
	t.Helper()
	p.await(t, within, &p.errs, f)
}

func (p *Process) await(t testing.TB, within time.Duration, o *output, f func(string) bool) {
	t.Helper()
	limit := time.After(within)
	for {
		text, more := o.now()
		if f(text) {
			return
		}
		select {
		case <-more:
		case <-p.ended:
			if text, _ := o.now(); f(text) {
				return
			}
			t.Fatalf("ended with code %d before it was ready\n%s%s", p.cmd.ProcessState.ExitCode(), p.Out(), p.Err())
		case <-limit:
			p.dump()
			t.Fatalf("not ready in %s\n%s%s", within, p.Out(), p.Err())
		}
	}
}

// LaunchDev starts `causeway dev` on a folder and waits until it is ready. site
// is "" for both in one process.
func LaunchDev(t testing.TB, folder, site string) (*Process, *dev.File) {
	t.Helper()
	p := BeginDev(t, folder, site)
	return p, p.AwaitDev(t)
}

// BeginDev is LaunchDev that does not wait.
func BeginDev(t testing.TB, folder, site string) *Process {
	t.Helper()
	args := []string{"dev", "--folder", folder, "--json"}
	if _, err := os.Stat(filepath.Join(folder, "dev.json")); err != nil {
		args = append(args, "--listen-base", strconv.Itoa(porttest.Base(t))) // the folder keeps them
	}
	if site != "" {
		args = append(args, "--site", site)
	}
	return Launch(t, args...)
}

// AwaitDev waits until a `causeway dev --json` is ready and returns what it said.
func (p *Process) AwaitDev(t testing.TB) *dev.File {
	t.Helper()
	var f *dev.File
	p.AwaitOut(t, 2*time.Minute, func(text string) bool {
		f = nil
		return json.Unmarshal([]byte(text), &f) == nil
	})
	return f
}

// output gathers what a process prints and tells who waits for more of it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed and replaced at each write
}

var _ io.Writer = (*output)(nil)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.more)
	o.more = make(chan struct{})
	return o.text.Write(p)
}

func (o *output) now() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.more
}

func (o *output) String() string {
	text, _ := o.now()
	return text
}
