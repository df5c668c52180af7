package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestNewestComparesVersionsAsNumbers(t *testing.T) {
	root := t.TempDir()
	var dirs []string
	for _, version := range []string{"9.6", "15", "8.4", "18", "old"} {
		dir := filepath.Join(root, version, "bin")
		dirs = append(dirs, dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if version == "18" {
			continue // client programs only: no server to run
		}
		for _, program := range []string{"initdb", "postgres", "pg_ctl"} {
			if err := os.WriteFile(filepath.Join(dir, program), nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, ok := newest(dirs); !ok || got != filepath.Join(root, "15", "bin") {
		t.Errorf("newest = %q, %v; want that of 15", got, ok)
	}
}

func TestRunWithoutPostgres(t *testing.T) {
	for _, tt := range []struct {
		name, ci   string
		want       int
		stdout     string
		stderrSays string
	}{
		{"by hand", "", 4, "[]\n", "is left out"},
		{"in CI", "true", 1, "", "that is a failure"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("CI", tt.ci)
			t.Setenv(dsnVar, "")
			var stdout, stderr bytes.Buffer
			code := run([]string{"-bin", t.TempDir(), "--", "sh", "-c", `echo "[$` + dsnVar + `]"; exit 4`}, &stdout, &stderr)
			if code != tt.want || stdout.String() != tt.stdout {
				t.Errorf("run = %d, printed %q; want %d, %q", code, &stdout, tt.want, tt.stdout)
			}
			if got := stderr.String(); !strings.Contains(got, tt.stderrSays) || strings.Count(got, "\n") != 1 {
				t.Errorf("stderr is %q; want one line with %q", got, tt.stderrSays)
			}
		})
	}
}

func TestRunGivesTheCommandADatabase(t *testing.T) {
	needPostgres(t)
	var stdout, stderr bytes.Buffer
	code := run([]string{"sh", "-c", `echo "$` + dsnVar + `"; exit 3`}, &stdout, &stderr)
	if code != 3 || !strings.HasPrefix(stdout.String(), "postgres://postgres:") {
		t.Errorf("run = %d, printed %q, %q; want 3 and a URL", code, &stdout, &stderr)
	}
}

func TestCluster(t *testing.T) {
	bin := needPostgres(t)
	for _, tt := range []struct {
		name    string
		durable bool
		want    string
	}{
		{"throw-away", false, "off"},
		{"durable", true, "on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := start(t.Context(), bin, tt.durable)
			if err != nil {
				t.Fatal(err)
			}
			stopped := false
			defer func() {
				if !stopped {
					_ = c.stop()
				}
			}()
			conn, err := pgx.Connect(t.Context(), c.dsn)
			if err != nil {
				t.Fatal(err)
			}
			// Left open: stop must not wait for clients.
			for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
				var got string
				if err := conn.QueryRow(t.Context(), "SHOW "+setting).Scan(&got); err != nil || got != tt.want {
					t.Errorf("%s is %q, %v; want %q", setting, got, err, tt.want)
				}
			}
			wrong := strings.Replace(c.dsn, "//postgres:", "//postgres:x", 1)
			if other, err := pgx.Connect(t.Context(), wrong); err == nil {
				_ = other.Close(t.Context())
				t.Error("a wrong password is let in")
			}
			stopped = true
			if err := c.stop(); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
				t.Errorf("the directory is still there: %v", err)
			}
		})
	}
}

func needPostgres(t *testing.T) string {
	t.Helper()
	bin, ok := find("")
	if !ok {
		t.Skip("PostgreSQL not found")
	}
	return bin
}
