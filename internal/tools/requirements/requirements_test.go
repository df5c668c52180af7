package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	idsFile = "../../../docs/requirements.tsv"
	stream  = "../testjson/testdata/stream.json"
)

func TestMatcher(t *testing.T) {
	m := newMatcher([]requirement{{ID: "VCD-1"}, {ID: "VCD-18"}, {ID: "CSP-4"}, {ID: "R1"}, {ID: "R7"}})
	for _, tt := range []struct{ name, want string }{
		{"TestDeviceGrant_VCD18_VCD71", "VCD-18 VCD-71"},
		{"TestDeviceGrant/VCD-18_rotates", "VCD-18"},
		{"TestDeviceGrant/VCD_18_rotates_VCD-1", "VCD-18 VCD-1"},
		{"TestVCD18", "VCD-18"},
		{"TestVCD18_again/VCD-18", "VCD-18"},
		{"FuzzR7_UserCode/seed#0", "R7"},
		{"TestRights_R7_CSP4/R1", "R7 CSP-4 R1"},
		{"TestPeers_(R10),R15", "R10 R15"},
		{"TestPeers_R10", "R10"},

		{"TestVCD18Rotates", ""}, // not a word of its own
		{"TestXVCD18", ""},
		{"TestHMACR1", ""},
		{"TestPeers_R1x", ""},
		{"TestPeers/R1é", ""},
		{"TestPeers_R_1", ""}, // R's ids have no hyphen
		{"TestPeers_R-1", ""},
		{"TestPeers_VCD018", ""},
		{"TestPeers_vcd18", ""},
		{"TestPeers", ""},
	} {
		if got := strings.Join(m.find(tt.name), " "); got != tt.want {
			t.Errorf("%s: got %q; want %q", tt.name, got, tt.want)
		}
	}
}

// The stream holds a skipped half, a failed subtest, a test cut off by another's
// panic, a package that fails after its tests passed, and one that does not build.
func TestRunOnARecordedStream(t *testing.T) {
	out := filepath.Join(t.TempDir(), "rows.json")
	stdout, code := runTool(t, "-from", stream, "-json", out)
	if code != 1 {
		t.Errorf("code %d; want 1: tests failed", code)
	}
	rows := readRows(t, out)
	for _, tt := range []struct {
		id      string
		result  string
		tests   int
		skipped int
	}{
		{"VCD-18", proved, 2, 1}, // SQLite passed, PostgreSQL was skipped
		{"VCD-71", proved, 2, 1}, // one test may carry two ids
		{"VCD-19", proved, 1, 0}, // its parent fails for another's sake
		{"VCD-20", broken, 1, 0}, //
		{"VCD-1", open, 0, 0},    // not proved by VCD-18 or VCD-19
		{"CSP-7", open, 1, 1},    // the parent passed, its only subtest was skipped
		{"CSP-4", open, 0, 0},    // TestCSP4Dashboards is not a word of its own
		{"CSP-1", proved, 1, 0},  // the package fails, the test passed
		{"R1", open, 0, 0},       // not proved by R10
		{"R2", proved, 1, 0},     // a fuzz target's seeds
		{"R3", proved, 1, 0},     // carried by a subtest's subtest
		{"R8", broken, 1, 0},     // cut off
		{"R9", broken, 1, 0},     // panicked
		{"R10", proved, 1, 0},
		{"R12", open, 0, 0}, // does not build
	} {
		q := rows[tt.id]
		if q.Result != tt.result || q.Tests != tt.tests || q.Skipped != tt.skipped {
			t.Errorf("%s: %s, %d tests, %d skipped; want %s, %d, %d", tt.id, q.Result, q.Tests, q.Skipped, tt.result, tt.tests, tt.skipped)
		}
	}
	for _, want := range []string{
		"VCD-20 fails: example/oauth TestRotation/VCD_20_one_role\n",
		"package failed: example/broken\n",
		"package failed: example/leaky\n",
		"no such requirement: VCD-181 in example/oauth TestTypo_VCD181\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("missing %q in:\n%s", want, stdout)
		}
	}
	if got := strings.Join(strings.Fields(lastLine(stdout)), " "); got != "R 15 requirements: 4 pass, 2 FAIL, 9 open" {
		t.Errorf("the last summary is %q", got)
	}
}

func TestRunOnly(t *testing.T) {
	stdout, _ := runTool(t, "-from", stream, "-only", "R")
	if strings.Contains(stdout, "CSP-1 ") || !strings.Contains(stdout, "R1 ") {
		t.Errorf("want R alone:\n%s", stdout)
	}
}

func TestRunExitCode(t *testing.T) {
	passing := filepath.Join(t.TempDir(), "passing.json")
	if err := os.WriteFile(passing, []byte(`{"Action":"pass","Package":"p","Test":"TestX_VCD4"}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		want int
	}{
		{"open ids alone are no failure", nil, 0},
		{"required and proved", []string{"-require", "VCD-4"}, 0},
		{"required and open", []string{"-require", "VCD-4,VCD-5"}, 1},
		{"required and misspelt", []string{"-require", "VCD4"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if out, code := runTool(t, append([]string{"-from", passing}, tt.args...)...); code != tt.want {
				t.Errorf("code %d; want %d\n%s", code, tt.want, out)
			}
		})
	}
}

// What people see is proved in a browser: by a test that says of itself, or of what it
// is a part of, that it used one.
func TestRunWantsABrowser(t *testing.T) {
	const elsewhere = `{"Action":"pass","Package":"p","Test":"TestX_VCD41"}` + "\n"
	for name, tt := range map[string]struct{ stream, want string }{
		"no browser":              {elsewhere, open},
		"a browser":               {`{"Action":"attr","Package":"p","Test":"TestY_VCD41","Key":"browser","Value":"chromium"}` + "\n" + `{"Action":"pass","Package":"p","Test":"TestY_VCD41"}` + "\n" + elsewhere, proved},
		"the whole's browser":     {`{"Action":"attr","Package":"p","Test":"TestY","Key":"browser","Value":"x"}` + "\n" + `{"Action":"pass","Package":"p","Test":"TestY/VCD41"}` + "\n", proved},
		"another's browser":       {`{"Action":"attr","Package":"p","Test":"TestZ","Key":"browser","Value":"x"}` + "\n" + elsewhere, open},
		"it failed in a browser":  {`{"Action":"attr","Package":"p","Test":"TestY_VCD41","Key":"browser","Value":"x"}` + "\n" + `{"Action":"fail","Package":"p","Test":"TestY_VCD41"}` + "\n" + elsewhere, broken},
		"another attribute of it": {`{"Action":"attr","Package":"p","Test":"TestX_VCD41","Key":"speed","Value":"x"}` + "\n" + elsewhere, open},
	} {
		file, out := filepath.Join(t.TempDir(), "stream.json"), filepath.Join(t.TempDir(), "rows.json")
		if err := os.WriteFile(file, []byte(tt.stream), 0o600); err != nil {
			t.Fatal(err)
		}
		text, _ := runTool(t, "-from", file, "-json", out)
		if got := readRows(t, out)["VCD-41"].Result; got != tt.want {
			t.Errorf("%s: %s, want %s\n%s", name, got, tt.want, text)
		}
	}
}

// The ids file itself: complete, in order, and short enough for the table.
func TestIDsFile(t *testing.T) {
	reqs, err := load(idsFile)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, r := range reqs {
		count[r.family()]++
		if n := utf8.RuneCountInString(r.Statement); n > 110 {
			t.Errorf("%s: %d characters; want at most 110", r.ID, n)
		}
		if strings.Trim(r.Kind, "AUDXS/") != "" || r.Kind == "" {
			t.Errorf("%s: unknown kind %q", r.ID, r.Kind)
		}
	}
	if count["CSP"] != 42 || count["VCD"] != 94 || count["R"] != 15 {
		t.Errorf("got %v; want 42 CSP, 94 VCD, 15 R", count)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, text := range []string{
		"VCD-1\tA\n",
		"VCD-1\tA\tx\nVCD-1\tA\ty\n",
		"VCD1x\tA\tx\n",
		"VCD-1 A x\n",
	} {
		path := filepath.Join(t.TempDir(), "ids.tsv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if reqs, err := load(path); err == nil {
			t.Errorf("%q: got %v; want an error", text, reqs)
		}
	}
}

func runTool(t *testing.T, args ...string) (stdout string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(append([]string{"-ids", idsFile}, args...), strings.NewReader(""), &out, &errs)
	return out.String() + errs.String(), code
}

func readRows(t *testing.T, path string) map[string]row {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	byID := map[string]row{}
	for _, q := range rows {
		byID[q.ID] = q
	}
	return byID
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndex(s, "\n")+1:]
}
