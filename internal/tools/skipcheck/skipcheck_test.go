package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"causeway/internal/tools/testjson"
)

// The stream is a recorded one: a build failure, a package that fails after its
// tests passed, a failed subtest, skips, a panic that cuts off another test.
func TestPrinterShowsWhatFailed(t *testing.T) {
	out, code := replay(t, "../testjson/testdata/stream.json", 1, false)
	if code != 1 {
		t.Errorf("code %d; want 1", code)
	}
	for _, want := range []string{
		"broken/a_test.go:3:32: undefined: undefined\nFAIL\texample/broken [build failed]\n",
		"leaked goroutines: 1\nFAIL\texample/leaky\t",
		"--- FAIL: TestRotation/VCD_20_one_role (0.00s)\n    a_test.go:9: two roles were accepted\n",
		"panic: boom",
		"--- CUT OFF: TestSlow_R8\n    a_test.go:4: waiting\n",
		"?   \texample/plain\t[no test files]\n",
		"skipped 2: no PostgreSQL here\n    example/oauth TestDeviceGrant_VCD18_VCD71/postgres\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("missing %q in:\n%s", want, out)
		}
	}
	for _, banned := range []string{"=== ", "--- PASS", "TestBefore_R5"} {
		if strings.Contains(out, banned) {
			t.Errorf("%q must not be printed:\n%s", banned, out)
		}
	}
	if !strings.HasSuffix(out, "\nFAIL\n") {
		t.Errorf("does not end with FAIL:\n%s", out)
	}
}

func TestStrictTurnsASkipIntoAFailure(t *testing.T) {
	const passing = `{"Action":"pass","Package":"p","Test":"T"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`
	const skipping = `{"Action":"output","Package":"p","Test":"S","Output":"    a_test.go:5: needs the moon\n"}
{"Action":"skip","Package":"p","Test":"S"}
` + passing
	const noTestFiles = `{"Action":"skip","Package":"q"}
` + passing
	for _, tt := range []struct {
		name, stream string
		strict       bool
		want         int
	}{
		{"nothing skipped", passing, true, 0},
		{"no test files is no skip", noTestFiles, true, 0},
		{"skipped by hand", skipping, false, 0},
		{"skipped in CI", skipping, true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			p := newPrinter(&out)
			if err := testjson.Read(strings.NewReader(tt.stream), p.event); err != nil {
				t.Fatal(err)
			}
			if got := p.finish(0, tt.strict); got != tt.want {
				t.Errorf("code %d; want %d\n%s", got, tt.want, &out)
			}
			if skips := tt.stream == skipping; skips != strings.Contains(out.String(), "needs the moon") {
				t.Errorf("the reason of a skip must be printed, and only then:\n%s", &out)
			}
		})
	}
}

func TestRunKeepsGoTestsExitCode(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"--", "causeway/no/such/package"}, &stdout, &stderr); code != 1 {
		t.Errorf("code %d; want 1\n%s%s", code, &stdout, &stderr)
	}
	stdout.Reset()
	if code := run([]string{"-strict", "--", "causeway/internal/version"}, &stdout, &stderr); code != 0 {
		t.Errorf("code %d; want 0\n%s%s", code, &stdout, &stderr)
	}
	if got := stdout.String(); !strings.HasPrefix(got, "ok  \tcauseway/internal/version\t") || strings.Count(got, "\n") != 1 {
		t.Errorf("printed %q; want the package's line alone", got)
	}
}

func replay(t *testing.T, file string, code int, strict bool) (string, int) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out bytes.Buffer
	p := newPrinter(&out)
	if err := testjson.Read(f, p.event); err != nil {
		t.Fatal(err)
	}
	code = p.finish(code, strict)
	return out.String(), code
}
