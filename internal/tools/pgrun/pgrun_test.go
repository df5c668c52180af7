package main

import (
	"bytes"
	"strings"
	"testing"

	"causeway/internal/pgcluster"
)

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

func needPostgres(t *testing.T) {
	t.Helper()
	if _, ok := pgcluster.Find(""); !ok {
		t.Skip("PostgreSQL not found")
	}
}
