package sitetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"causeway/federation/gossip"
	"causeway/internal/porttest"
)

// processorTime is what a process has used so far, to 10 ms.
func processorTime(t *testing.T, p *Process) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	var ticks int
	for _, i := range []int{11, 12} { // utime and stime, proc(5)
		n, err := strconv.Atoi(fields[i])
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// TestIdleFederationSoak measures what a gateway of a federation costs that nobody
// uses: five sites, each a process with a database of its own, all associated with
// all, with heartbeats, feeds and gossip. Measured on two shared cores: 0.7 to 0.9 %
// of one.
func TestIdleFederationSoak(t *testing.T) {
	if !soaking {
		return // there is nothing to it but the time it takes
	}
	const sites, during = 5, time.Minute
	key := filepath.Join(t.TempDir(), "gossip.key")
	if err := os.WriteFile(key, []byte(gossip.NewKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	var all []*remote
	seed := ""
	for i := range sites {
		base := porttest.Base(t)
		at := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", base+port) }
		if i == 0 {
			seed = at(3)
		}
		r := newRemote(t, fmt.Sprint("site-", i), place{
			host: "127.0.0.1", public: base, peer: base + 1, operations: base + 2, url: "https://" + at(0), advertise: at(1),
			database: func(_ testing.TB, url string) string { return url },
			more:     fmt.Sprintf("gossip: {federation: idle, listen: %q, key_file: %s, seeds: [%q]}\n", at(3), key, seed),
		})
		defer func() { r.Hangup(); r.process.Stop(t) }()
		for _, other := range all {
			associate(t, r, other)
		}
		all = append(all, r)
	}
	for _, r := range all {
		want := strings.TrimSpace(strings.Repeat("ACTIVE ", 2*(sites-1)))
		Eventually(t, 60*time.Second, "all are associated", func() bool { return r.statuses(t) == want })
		r.Hangup()
	}
	time.Sleep(during / 5) // what the start leaves to do
	var before [sites]time.Duration
	for i, r := range all {
		before[i] = processorTime(t, r.process)
	}
	begin := time.Now()
	time.Sleep(during)
	took := time.Since(begin)
	worst := 0.0
	for i, r := range all {
		share := 100 * float64(processorTime(t, r.process)-before[i]) / float64(took)
		worst = max(worst, share)
		t.Logf("%s of %d idle sites used %.2f %% of a core", r.name, sites, share)
	}
	if worst > 3 {
		t.Errorf("an idle gateway of %d sites used %.2f %% of a core, at most 3 %% is allowed", sites, worst)
	}
}
