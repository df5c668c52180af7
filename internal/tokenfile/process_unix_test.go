//go:build unix

package tokenfile

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"causeway/internal/secret"
)

// rotator stands for the site: a token has one successor, given again until it
// is presented; after that the token is a replay.
type rotator struct {
	mu       sync.Mutex
	strict   bool // any second showing is a replay: what two processes must never cause
	presents map[int]int
	current  int // the last generation that was handed out
	forked   []string
}

func (s *rotator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := strconv.Atoi(strings.TrimPrefix(string(body), "generation-"))
	s.presents[n]++
	if err != nil || n < s.current-1 || (s.strict && s.presents[n] > 1) {
		s.forked = append(s.forked, string(body))
		http.Error(w, "replay", http.StatusBadRequest)
		return
	}
	s.current = n + 1
	fmt.Fprintf(w, "generation-%d", s.current)
}

// TestWorker is a process that renews a file; it does nothing by itself.
func TestWorker(t *testing.T) {
	path, url := os.Getenv("TOKENFILE_PATH"), os.Getenv("TOKENFILE_URL")
	if path == "" {
		t.Log("this is the other process of TestTwoProcesses and TestKilledBeforeTheRename")
		return
	}
	times, _ := strconv.Atoi(os.Getenv("TOKENFILE_TIMES"))
	for range times {
		err := Renew(t.Context(), path, "worker", func(_ context.Context, token secret.Text) (secret.Text, error) {
			res, err := http.Post(url, "text/plain", strings.NewReader(token.Reveal()))
			if err != nil {
				return "", err
			}
			defer res.Body.Close()
			successor, err := io.ReadAll(res.Body)
			if os.Getenv("TOKENFILE_DIE") != "" {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
			if res.StatusCode != http.StatusOK {
				return "", fmt.Errorf("refused: %s", successor)
			}
			return secret.Text(successor), err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func worker(path, url string, times int, more ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run", "^TestWorker$")
	cmd.Env = append(os.Environ(), "TOKENFILE_PATH="+path, "TOKENFILE_URL="+url, fmt.Sprint("TOKENFILE_TIMES=", times))
	cmd.Env = append(cmd.Env, more...)
	return cmd
}

// Two processes with one file take turns: nothing is presented twice, and no
// rotation is lost.
func TestTwoProcesses_R3(t *testing.T) {
	const times = 25
	site := &rotator{strict: true, presents: map[int]int{}}
	server := httptest.NewServer(site)
	defer server.Close()
	path := filepath.Join(t.TempDir(), "app.token")
	write(t, path, `{"refresh_token":"generation-0"}`, 0o600)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if out, err := worker(path, server.URL, times).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	both.Wait()
	if len(site.forked) > 0 {
		t.Errorf("presented again: %v", site.forked)
	}
	wantToken(t, path, secret.Text(fmt.Sprint("generation-", 2*times)))
}

// kill -9 after the site's answer and before the file: the old token is still
// there, the lock is free, and the same successor comes again.
func TestKilledBeforeTheRename_R3(t *testing.T) {
	site := &rotator{presents: map[int]int{}}
	server := httptest.NewServer(site)
	defer server.Close()
	path := filepath.Join(t.TempDir(), "app.token")
	write(t, path, `{"refresh_token":"generation-0"}`, 0o600)
	for range 3 {
		if err := worker(path, server.URL, 1, "TOKENFILE_DIE=yes").Run(); err == nil {
			t.Fatal("it lives")
		}
		wantToken(t, path, "generation-0")
	}
	if out, err := worker(path, server.URL, 2).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wantToken(t, path, "generation-2")
	if site.presents[0] != 4 || site.presents[1] != 1 || len(site.forked) > 0 {
		t.Errorf("presented %v, replays %v", site.presents, site.forked)
	}
}
