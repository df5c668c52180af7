package sitetest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"causeway/internal/dev"
	"causeway/internal/porttest"
)

var soaking = os.Getenv("CAUSEWAY_SOAK") != ""

// TestReadySoak measures how soon after exec the pair serves and what it holds
// in memory then. Only the soak demands the numbers: there the machine is its own.
func TestReadySoak(t *testing.T) {
	rounds := 1
	if soaking {
		rounds = 5
	}
	Build(t) // before any clock runs
	var first, again []time.Duration
	var memory []int
	for range rounds {
		folder := t.TempDir()
		for _, took := range []*[]time.Duration{&first, &again} {
			start := time.Now()
			p, file := LaunchDev(t, folder, "")
			*took = append(*took, time.Since(start))
			memory = append(memory, idleMemory(t, p))     // before a password is hashed, for which 19 MiB stay taken for minutes
			NewClient(t, file).Login(t, "east", "globex") // ready means ready
			p.Stop(t)
		}
	}
	slices.Sort(first)
	slices.Sort(again)
	slices.Sort(memory)
	middle := rounds / 2
	t.Logf("ready after %s on an empty folder, %s on a seeded one; idle memory %d MiB",
		first[middle].Round(time.Millisecond), again[middle].Round(time.Millisecond), memory[rounds]>>20)
	if !soaking {
		return
	}
	if first[middle] > 2*time.Second || again[middle] > 2*time.Second {
		t.Errorf("ready after %s and %s, want 2s", first, again)
	}
	if memory[rounds] > 80<<20 {
		t.Errorf("idle memory %v", memory)
	}
}

// idleMemory is the resident memory of a process a moment after its last work,
// or 0 where there is no /proc.
func idleMemory(t *testing.T, p *Process) int {
	t.Helper()
	status := fmt.Sprintf("/proc/%d/status", p.PID())
	if _, err := os.Stat(status); err != nil {
		t.Log("no /proc to read the memory from")
		return 0
	}
	time.Sleep(200 * time.Millisecond)
	text, err := os.ReadFile(status)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kib, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("no VmRSS in %s", text)
	return 0
}

func TestDevGoesOnWhereItWas(t *testing.T) {
	folder := t.TempDir()
	// Ports of the system's choice could be somebody's by the time of the restart.
	p := Launch(t, "dev", "--folder", folder, "--listen-base", strconv.Itoa(porttest.Base(t)), "--json")
	file := p.AwaitDev(t)
	wantFolder(t, folder, file)
	c := NewClient(t, file)
	admin := c.Login(t, "west", "acme")
	client, _ := c.Account(t, "west", admin, file.Account.Name)
	access, refresh := c.ConnectAs(t, "west", "acme", admin, client)
	crossing := Bearer(access, authContext, "acme-labs")
	c.Get(t, "west", "/sample/inventory", crossing).Want(t, http.StatusOK)

	// Ctrl-C while connections are open: one between requests, and one of a
	// browser that only keeps it in hand.
	conn, err := tls.Dial("tcp", strings.TrimPrefix(c.Site("east").API, "https://"), &tls.Config{RootCAs: roots(t, file.CA), MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	start := time.Now()
	p.Signal(t, syscall.SIGINT)
	if code := p.Exit(t, 20*time.Second); code != 0 || p.Err() != "" {
		t.Errorf("Ctrl-C: exit code %d, and on standard error\n%s", code, p.Err())
	}
	took := time.Since(start)
	t.Logf("Ctrl-C: ended after %s", took.Round(time.Millisecond))
	if took > 4*time.Second {
		t.Errorf("Ctrl-C: ended only after %s", took)
	}

	p = Launch(t, "dev", "--folder", folder, "--listen-base", "0", "--json")
	defer p.Stop(t)
	again := p.AwaitDev(t)
	if !reflect.DeepEqual(file, again) {
		t.Errorf("after the restart dev.json is\n%+v\nbefore it was\n%+v", again, file)
	}
	c.Hangup()
	c.Get(t, "west", "/sample/inventory", crossing).Want(t, http.StatusOK)
	c.Account(t, "west", admin, file.Account.Name)
	c.Refresh(t, "west", "acme", refresh).Want(t, http.StatusOK)
}

func roots(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	return Trusting(t, file).Transport.(*http.Transport).TLSClientConfig.RootCAs
}

// wantFolder wants dev.json to say what was printed, and nobody else to read any
// secret of the folder.
func wantFolder(t *testing.T, folder string, printed *dev.File) {
	t.Helper()
	if written := readDev(t, folder); !reflect.DeepEqual(written, printed) {
		t.Errorf("dev.json\n%+v\nprinted\n%+v", written, printed)
	}
	public := []string{"ca.pem", "public.pem"}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 && !slices.Contains(public, d.Name()) {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func readDev(t *testing.T, folder string) *dev.File {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(folder, "dev.json"))
	if err != nil {
		t.Fatal(err)
	}
	f := &dev.File{}
	if err := json.Unmarshal(body, f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSecondCtrlCEndsAtOnce(t *testing.T) {
	p, file := LaunchDev(t, t.TempDir(), "west")
	address := strings.TrimPrefix(file.Site("west").API, "https://")
	conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots(t, file.CA), MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// A request whose body never comes holds the first one up.
	fmt.Fprintf(conn, "POST /oauth/provider/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
	line := make([]byte, 12)
	if _, err := conn.Read(line); err != nil || string(line) != "HTTP/1.1 100" { // it is being served
		t.Fatal(string(line), err)
	}
	p.Signal(t, syscall.SIGINT)
	Eventually(t, 10*time.Second, "nobody listens any more", func() bool {
		other, err := net.Dial("tcp", address)
		if err == nil {
			other.Close()
		}
		return err != nil
	})
	Eventually(t, 5*time.Second, "one more Ctrl-C ends it", func() bool {
		_ = p.cmd.Process.Signal(syscall.SIGINT) // it may have ended
		select {
		case <-p.Ended():
			return true
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
	if code := p.Exit(t, time.Second); code != -1 {
		t.Errorf("exit code %d, want death by the signal", code)
	}
}

func TestDevRefusals(t *testing.T) {
	folder := t.TempDir()
	p, file := LaunchDev(t, folder, "west")
	p.Stop(t)
	west := file.Site("west").Ports
	for name, port := range map[string]int{
		"public": west.Public, "peer": west.Peer, "gossip": west.Gossip, "operations": west.Operations, "sample": west.Sample,
	} {
		t.Run(name+" port in use", func(t *testing.T) {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			wantRefusal(t, 1, []string{"west", name, strconv.Itoa(port), "in use"}, "dev", "--folder", folder, "--site", "west")
		})
	}
	t.Run("it starts when the ports are free again", func(t *testing.T) {
		p, _ := LaunchDev(t, folder, "west")
		p.Stop(t)
	})
	t.Run("unknown site", func(t *testing.T) {
		nowhere := filepath.Join(t.TempDir(), "new")
		wantRefusal(t, 2, []string{`"north"`, "west", "east"}, "dev", "--folder", nowhere, "--site", "north")
		if _, err := os.Stat(nowhere); err == nil {
			t.Error("the folder was made nevertheless")
		}
	})
	t.Run("ports out of range", func(t *testing.T) {
		wantRefusal(t, 2, []string{"--listen-base"}, "dev", "--folder", folder, "--listen-base", "80")
	})
	t.Run("unknown flag", func(t *testing.T) {
		wantRefusal(t, 2, []string{"--folders"}, "dev", "--folders", folder)
	})
	t.Run("the folder is a file", func(t *testing.T) {
		file := filepath.Join(folder, "dev.json")
		wantRefusal(t, 1, []string{file}, "dev", "--folder", file)
	})
	t.Run("damaged dev.json", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "dev.json")
		if err := os.WriteFile(file, []byte(`{"ca":`), 0o600); err != nil {
			t.Fatal(err)
		}
		wantRefusal(t, 1, []string{file, "damaged"}, "dev", "--folder", filepath.Dir(file))
	})
}

// wantRefusal runs a command that must end with a code and one line that holds
// all the words.
func wantRefusal(t *testing.T, code int, words []string, args ...string) {
	t.Helper()
	p := Launch(t, args...)
	if got := p.Exit(t, 20*time.Second); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
	if p.Out() != "" || strings.Count(p.Err(), "\n") != 1 {
		t.Errorf("printed %q and %q", p.Out(), p.Err())
	}
	for _, word := range words {
		if !strings.Contains(p.Err(), word) {
			t.Errorf("%q does not name %q", p.Err(), word)
		}
	}
}
