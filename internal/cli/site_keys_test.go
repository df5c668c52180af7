package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// An operator sees the root keys, publishes a successor and ends the old one in an
// emergency. Tenants see nothing of them (R10).
func TestSiteKeys_R10(t *testing.T) {
	p := sitetest.Start(t, storetest.SQLite)
	keys := func(args ...string) []string {
		return append(append([]string{"site", "keys"}, args...), "--folder", p.Folder, "--dev")
	}
	type key struct{ Fingerprint, State string }
	list := func() (found []key) {
		t.Helper()
		code, out, errs := run(t, append(keys("list"), "-o", "json")...)
		if err := json.Unmarshal([]byte(out), &found); err != nil || code != 0 {
			t.Fatalf("exit code %d, %v\n%s%s", code, err, out, errs)
		}
		return found
	}
	first := list()
	if len(first) != 1 || first[0].State != "signing" || len(first[0].Fingerprint) != 64 {
		t.Fatalf("the keys are %v", first)
	}
	wantRun(t, 0, "published", keys("rotate")...)
	if code, _, errs := run(t, keys("rotate")...); code != 1 || !strings.Contains(errs, "published already") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	wantRun(t, 0, "retired", keys("retire", first[0].Fingerprint)...)
	states := map[string]int{}
	for _, k := range list() {
		states[k.State]++
	}
	if len(states) != 2 || states["retired"] != 1 || states["signing"] != 1 {
		t.Errorf("the keys are %v", states)
	}
	for _, args := range [][]string{keys("retire"), keys("retire", ""), keys("list", "x"), append(keys("list"), "-o", "xml"), keys("burn")} {
		if code, out, errs := run(t, args...); code != 2 || out != "" {
			t.Errorf("%q: exit code %d\n%s%s", args, code, out, errs)
		}
	}
	if code, out, _ := run(t, append(keys("list"), "--org", "acme")...); code != 1 || out != "" {
		t.Errorf("a tenant: exit code %d, %s", code, out)
	}
}
