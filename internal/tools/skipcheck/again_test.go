package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A package that the race detector ends by a fault of its own gets another chance, and
// one only; what fails by itself gets none. The packages are real ones: the test that
// fails or "crashes" does so until it has run as often as it is told.
func TestOnceMore_R15_ForTheDetectorsOwnFaultAlone(t *testing.T) {
	const fault = `ThreadSanitizer: CHECK failed: tsan_rtl.cpp:346 \"((exiting))\" (0x0, 0x0) (tid=499)`
	for _, tt := range []struct {
		name  string
		says  string
		times int // that it fails
		code  int
		runs  int
	}{
		{"the detector, once", fault, 1, 0, 2},
		{"the detector, twice", fault, 2, 1, 2},
		{"the detector, by the system's word", `SIGSEGV: segmentation violation\nPC=0x41cb49 m=0 sigcode=1 addr=0x0`, 1, 0, 2},
		{"Go code", `panic: runtime error: invalid memory address\n[signal SIGSEGV: segmentation violation code=0x1]`, 1, 1, 1},
		{"the test", "WARNING: DATA RACE", 1, 1, 1},
		{"nothing", "", 0, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			runs := filepath.Join(folder, "runs")
			write(t, folder, "go.mod", "module causeway\n\ngo 1.26\n")
			write(t, folder, "good/good_test.go", "package good\n\nimport \"testing\"\n\nfunc TestGood(t *testing.T) {}\n")
			write(t, folder, "odd/odd_test.go", fmt.Sprintf(`package odd

import (
	"fmt"
	"os"
	"testing"
)

func TestOdd(t *testing.T) {
	f, _ := os.OpenFile(%q, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	f.WriteString("x")
	f.Close()
	if runs, _ := os.ReadFile(%[1]q); len(runs) <= %d {
		fmt.Println("%s")
		os.Exit(66)
	}
}
`, runs, tt.times, tt.says))
			t.Chdir(folder)
			stream := filepath.Join(folder, "stream.json")
			var stdout, stderr bytes.Buffer
			code := run([]string{"-strict", "-o", stream, "--", "-count=1", "-timeout", "1m", "./..."}, &stdout, &stderr)
			if code != tt.code {
				t.Errorf("code %d, want %d\n%s%s", code, tt.code, &stdout, &stderr)
			}
			if got := read(t, runs); len(got) != tt.runs {
				t.Errorf("%d runs, want %d\n%s", len(got), tt.runs, &stdout)
			}
			kept := read(t, stream)
			if strings.Count(kept, `"Action":"pass","Package":"causeway/good","Test":"TestGood"`) != 1 {
				t.Errorf("the stream is not whole:\n%s", kept)
			}
			if failed := strings.Contains(kept, `"Action":"fail"`); failed != (tt.code != 0) {
				t.Errorf("the stream says failed %v:\n%s", failed, kept)
			}
			if said := strings.Contains(stdout.String(), "once more"); said != (tt.runs == 2) {
				t.Errorf("printed:\n%s", &stdout)
			}
		})
	}
}

func write(t *testing.T, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
