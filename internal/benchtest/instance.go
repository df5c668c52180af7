package benchtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// asInstance makes a test binary an instance to stand behind proxies.
const asInstance = "CAUSEWAY_BENCH_INSTANCE"

// Instance starts a server in another process that answers everything with 1 KiB of
// JSON, and returns its URL. What it reads costs the proxies before it nothing.
func Instance(b testing.TB) string {
	b.Helper()
	return "http://" + Process(b, asInstance, 1).Said
}

// Running is this binary in another process.
type Running struct {
	PID  int
	Said string // its first line
}

// Process starts this binary again with args, as JSON, under a name in its environment,
// by which its TestMain knows what to do. It must say a line when it is ready, and end
// when its input does, which is at the end of the benchmark.
func Process(b testing.TB, name string, args any) Running {
	b.Helper()
	told, err := json.Marshal(args)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), name+"="+string(told))
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

// stand is the instance's side: its address, then answers until in ends.
func stand(in io.Reader, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	body := []byte(`{"text":"` + strings.Repeat("0123456789abcdef", 63) + `"}`)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})}
	go func() { _ = s.Serve(l) }()
	if _, err := fmt.Fprintln(out, l.Addr()); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, in)
	return s.Close()
}
