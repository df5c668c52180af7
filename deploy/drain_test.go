package deploy

import (
	"os"
	"regexp"
	"testing"
	"time"

	"causeway/internal/config"
)

// afterwards is what a cell may take to stop beside the time for its requests; see
// docs/operating.md.
const afterwards = 15 * time.Second

// wantPatience holds the time that a supervisor gives a cell against the defaults.
func wantPatience(t *testing.T, who, waits string) {
	t.Helper()
	o := config.Defaults().Operations
	d, err := time.ParseDuration(waits)
	if err != nil || d < o.DrainDelay+o.DrainTimeout+afterwards {
		t.Errorf("%s kills a cell after %q, while it may drain for %s and %s", who, waits, o.DrainDelay, o.DrainTimeout)
	}
}

func TestDrain_R14_SystemdIsPatient(t *testing.T) {
	const file = "systemd/causeway.service"
	wantPatience(t, file, found(t, file, `(?m)^TimeoutStopSec=(.*)$`)[0])
}

// A cell must serve until a balancer has found out that it stops: after the next look
// and the faster one that confirms it.
func TestDrain_R14_HAProxyFindsOutInTime(t *testing.T) {
	for _, file := range []string{haproxyFile, "compose/three-sites/haproxy.cfg"} {
		var all time.Duration
		for _, text := range found(t, file, `(?m)^\tdefault-server check .*\binter (\w+) fastinter (\w+) .*\bfall 2\b`) {
			d, err := time.ParseDuration(text)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all += d
		}
		if delay := config.Defaults().Operations.DrainDelay; all == 0 || all > delay*2/3 {
			t.Errorf("%s needs %s to see what a cell says for %s", file, all, delay)
		}
	}
}

// found are the groups of the first match.
func found(t *testing.T, file, pattern string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	groups := regexp.MustCompile(pattern).FindSubmatch(text)
	if groups == nil {
		t.Fatalf("%s has nothing like %s", file, pattern)
	}
	var all []string
	for _, g := range groups[1:] {
		all = append(all, string(g))
	}
	return all
}
