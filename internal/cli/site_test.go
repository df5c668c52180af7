package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// Administrators associate sites and organizations by files that they carry, and see
// how the two get on (VCD-37, R10).
func TestSite_R10_VCD37_AssociationsByFile(t *testing.T) {
	p := sitetest.Start(t, storetest.SQLite)
	at := func(site string, args ...string) []string {
		return append(append([]string{"site"}, args...), "--folder", p.Folder, "--dev="+site)
	}
	type link struct{ ID, LocationID, Status, Fingerprint string }
	list := func(args ...string) (found []link) {
		t.Helper()
		code, out, errs := run(t, append(args, "-o", "json")...)
		if err := json.Unmarshal([]byte(out), &found); err != nil || code != 0 {
			t.Fatalf("%q: exit code %d, %v\n%s%s", args, code, err, out, errs)
		}
		return found
	}
	for _, of := range [][]string{nil, {"--org", "acme"}} {
		file := filepath.Join(t.TempDir(), "east.xml")
		code, out, errs := run(t, append(at("east", "export", file), of...)...)
		held := list(append(at("west", "status"), of...)...)
		if code != 0 || out != "" || !strings.Contains(errs, held[0].Fingerprint) {
			t.Errorf("%q: exit code %d, and not the fingerprint that west holds, %s\n%s%s", of, code, held[0].Fingerprint, out, errs)
		}
		if body, err := os.ReadFile(file); err != nil || !strings.Contains(string(body), "PublicKey") {
			t.Errorf("%q: %v\n%s", of, err, body)
		}
		// Once more is no change.
		if again := list(append(at("west", "associate", file), of...)...); len(again) != len(held) {
			t.Errorf("%q: %v is held, then %v", of, held, again)
		}
	}
	labs := ""
	for _, l := range list(at("west", "status", "--org", "acme")...) {
		labs = l.LocationID
	}
	wantRun(t, 0, "Row 6", at("west", "explain-route", "--org", "acme", "--auth-context", "acme-labs")...)
	wantRun(t, 0, "", at("west", "dissociate", labs, "--org", "acme")...)
	wantRun(t, 0, "403", at("west", "explain-route", "--org", "acme", "--auth-context", "acme-labs")...)
	for _, args := range [][]string{at("west", "export"), at("west", "associate"), at("west", "dissociate", ""), at("west", "status", "x"), append(at("west", "status"), "-o", "xml")} {
		if code, out, _ := run(t, args...); code != 2 || out != "" {
			t.Errorf("%q: exit code %d, %s", args, code, out)
		}
	}
	site := list(at("west", "status")...)[0].ID
	for _, args := range [][]string{
		at("west", "dissociate", site), // organizations are associated with it
		at("west", "dissociate", labs, "--org", "acme"),
		at("west", "associate", filepath.Join(p.Folder, "absent.xml")),
		at("west", "associate", filepath.Join(p.Folder, "dev.json")),
	} {
		if code, out, errs := run(t, args...); code != 1 || out != "" || errs == "" {
			t.Errorf("%q: exit code %d, %s%s", args, code, out, errs)
		}
	}
	wantRun(t, 0, "", at("west", "dissociate", site, "--force")...)
	wantRun(t, 0, "no association yet", at("west", "status")...)
}
