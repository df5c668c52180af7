package docs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"causeway/internal/sitetest"
)

// run types a script at a host.
func (h *hosts) run(t *testing.T, host, script string) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", h.here(host, script))
	cmd.Dir, cmd.Env = h.path(host, "home"), h.environment(host)
	cmd.WaitDelay = time.Second
	out := &printed{t: t, said: h.said}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	return out.text, err
}

// printed is what a script has printed so far.
type printed struct {
	text []byte
	t    *testing.T
	said func(*testing.T, []byte)
}

func (p *printed) Write(b []byte) (int, error) {
	p.text = append(p.text, b...)
	if p.said != nil {
		p.said(p.t, p.text)
	}
	return len(b), nil
}

// traced is a command as the shell notes it, in a subshell or not.
var traced = regexp.MustCompile(`(?m)^\++(\d+) (.*)$`)

// typed are the lines of the last script of which the shell ran a command.
func (h *hosts) typed(t *testing.T, host string) (lines []int) {
	t.Helper()
	file := h.path(host, "typed")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.Remove(file)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range traced.FindAllSubmatch(text, -1) {
		line, err := strconv.Atoi(string(found[1]))
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

// take empties a folder of a host in which its programs leave word.
func (h *hosts) take(t *testing.T, host, folder string) (names []string) {
	t.Helper()
	marks, err := os.ReadDir(h.path(host, folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, mark := range marks {
		if err := os.Remove(h.path(host, folder, mark.Name())); err != nil {
			t.Fatal(err)
		}
		names = append(names, mark.Name())
	}
	return names
}

// await starts what works until it is stopped, and waits until it works.
func (h *hosts) await(t *testing.T, host string) {
	t.Helper()
	files, err := filepath.Glob(h.path(host, "terminals", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		h.serve(t, host, words[0], words[1:]...)
	}
	h.take(t, host, "terminals")
}

// serve runs a command of a host until [hosts.end].
func (h *hosts) serve(t *testing.T, host, folder string, args ...string) {
	t.Helper()
	p := sitetest.LaunchIn(t, slices.Concat([]string{"env", "-C", folder}, h.environment(host)), args...)
	h.running = append(h.running, p)
	if slices.Contains(args, "serve") {
		p.AwaitErr(t, time.Minute, func(text string) bool { return strings.Contains(text, "msg=serving") })
		return
	}
	p.AwaitOut(t, time.Minute, func(text string) bool { return text != "" })
}

// end interrupts what runs, as Ctrl-C does.
func (h *hosts) end(t *testing.T) {
	t.Helper()
	for _, p := range h.running {
		p.Signal(t, syscall.SIGINT)
		if code := p.Exit(t, 30*time.Second); code != 0 && code != 130 {
			t.Errorf("exit code %d\n%s", code, p.Err())
		}
	}
	h.running = nil
}
