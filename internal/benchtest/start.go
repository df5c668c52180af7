package benchtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Running is this binary in another process.
type Running struct {
	PID  int
	Said string // its first line
}

// Process starts this binary again with args, as JSON, under a name in its environment,
// by which its TestMain knows what to do: to call [Ready] once it serves. It lives as
// long as the benchmark.
func Process(b testing.TB, name string, args any) Running {
	b.Helper()
	told, err := json.Marshal(args)
	if err != nil {
		b.Fatal(err)
	}
	cmd, in, out := begin(b, name+"="+string(told))
	b.Cleanup(func() {
		_ = in.Close() // it ends
		_ = cmd.Wait()
	})
	said, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return Running{cmd.Process.Pid, strings.TrimSpace(said)}
}

// Ready says where the process that [Process] started serves, and returns when it is
// wanted no more.
func Ready(address string) { _ = ready(address, os.Stdin, os.Stdout) }

func ready(address string, in io.Reader, out io.Writer) error {
	if _, err := fmt.Fprintln(out, address); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, in)
	return err
}

// begin starts this binary again with one more variable in its environment.
func begin(b testing.TB, variable string) (*exec.Cmd, io.WriteCloser, io.Reader) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), variable)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return cmd, in, out
}
