package rig

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

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
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%v of real time\n%s", time.Since(began).Round(time.Millisecond), &out)
	for _, f := range report.Failed {
		t.Error(f)
	}
	return report
}

func TestFirst(t *testing.T) {
	play(t, `
site west
site east
associate west east
link west east 20ms
at 0s every 1s request west -> east
at 1s expect request west 200 within 1s
      expect request west -> east 200 within 3s
at 10s cut west east
end 60s
`)
}
