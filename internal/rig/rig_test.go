package rig

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestMain leaves one processor to whole sites in a bubble. Two of them may fire a
// bubble's timers at once, as one thread to the race detector, which then ends the
// process: https://go.dev/issue/78156.
func TestMain(m *testing.M) {
	runtime.GOMAXPROCS(1)
	os.Exit(m.Run())
}

// play runs a script in fake time.
func play(t *testing.T, text string) Report {
	t.Helper()
	script, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var report Report
	var out bytes.Buffer
	folder := t.TempDir()
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		w, err := New(t.Context(), Config{Script: script, Folder: folder})
		if err == nil {
			report = w.Run(t.Context(), &out)
		}
		if end := w.Close(); end != nil {
			t.Errorf("closing: %v", end)
		}
		// What memberlist began before it was shut down ends by itself, and a bubble's
		// time stands still once this function has returned.
		time.Sleep(5 * time.Minute)
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%v of fake time in %v\n%s", script.End, time.Since(began).Round(time.Millisecond), &out)
	return report
}

// scripts are those of testdata, with what they prove. The long ones are for the
// Soak test.
var scripts = []struct {
	file, proves string
	long         bool
}{
	{"crash", "R10_I8", false}, {"complete", "VCD_37", false}, {"remove", "R4_I6", false}, {"reset", "R10", false}, {"static", "R11", false},
	{"revoke", "R4", false}, {"disable", "R4", false}, {"database", "R13", false}, {"onecell", "R10_R13", false},
	{"cut", "R10_R11_I8", true}, {"oneway", "R10", true}, {"skew", "R10", true}, {"wobble", "R5", true}, {"cells", "R10_R13", true},
	{"lossy", "R10", true}, {"five", "R10_R11", true},
}

func TestScripts(t *testing.T) {
	for _, s := range scripts {
		if !s.long {
			t.Run(s.file+"_"+s.proves, func(t *testing.T) { playFile(t, s.file) })
		}
	}
}

func TestSoakScripts(t *testing.T) {
	if os.Getenv("CAUSEWAY_SOAK") == "" {
		return // TestScripts is the short count
	}
	for _, s := range scripts {
		if s.long {
			t.Run(s.file+"_"+s.proves, func(t *testing.T) { playFile(t, s.file) })
		}
	}
}

func playFile(t *testing.T, name string) {
	text, err := os.ReadFile(filepath.Join("testdata", name+".rig"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range play(t, string(text)).Failed {
		t.Error(f)
	}
}

func TestScripts_AreAllKnown(t *testing.T) {
	known := map[string]bool{}
	for _, s := range scripts {
		known[s.file] = true
	}
	files, err := filepath.Glob("testdata/*.rig")
	if err != nil || len(files) != len(scripts) {
		t.Errorf("%d files, %d scripts run (%v)", len(files), len(scripts), err)
	}
	for _, f := range files {
		if !known[strings.TrimSuffix(filepath.Base(f), ".rig")] {
			t.Errorf("%s is not run", f)
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(string(text)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// unmet says what is not so: each line must be found out.
const unmet = `site west
at 0s expect west ready no within 500ms
      expect request west 401 for 500ms
      expect request west -> west 200 for 300ms
      skew west +1s
`

func checkUnmet(t *testing.T, r Report) {
	t.Helper()
	if len(r.Failed) != 2 || !strings.Contains(strings.Join(r.Failed, "\n"), "line 2: ready is yes") ||
		!strings.Contains(strings.Join(r.Failed, "\n"), "line 3: the answer is 200 after ") {
		t.Errorf("failed: %q", r.Failed)
	}
	last := r.Events[len(r.Events)-1].String()
	if !strings.Contains(last, "-                the end: 2 failed: line ") {
		t.Errorf("the last line is %q", last)
	}
}

func TestRun_TellsWhatWasNotMet(t *testing.T) { checkUnmet(t, play(t, unmet)) }

func TestRun_InRealTime(t *testing.T) {
	script, err := Parse(unmet)
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(t.Context(), Config{Script: script, Folder: t.TempDir()})
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err != nil {
		t.Fatal(err)
	}
	checkUnmet(t, w.Run(t.Context(), nil))
}
