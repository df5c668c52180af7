package rig

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"causeway/federation/memnet"
)

const twoSites = "site west\nsite east cells 2\n"

func TestParse(t *testing.T) {
	s, err := Parse(twoSites + `
seed 7
gossip off # nobody
associate west east sites
link west -> east 40ms jitter 5ms loss 1.5% rate 1000
at 10s every 250ms request west->east until 30s
at 5s expect west status east UNREACHABLE within 35s
      skew east -1m
      crash east 2
      expect request west none for 2s
end 1m
`)
	if err != nil {
		t.Fatal(err)
	}
	want := &Script{
		Seed: 7, Gossip: "off", Sites: []SitePlan{{"west", 1}, {"east", 2}}, End: time.Minute,
		Setup: []Step{
			{Line: 6, Verb: Associate, A: "west", B: "east", SitesOnly: true},
			{Line: 7, Verb: SetLink, A: "west", B: "east", OneWay: true, Link: memnet.Link{
				Latency: 40 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 1.5, Bandwidth: 1000,
			}},
		},
		Steps: []Step{
			{Line: 9, At: 5 * time.Second, Verb: Expect, A: "west", B: "east", Expect: Expectation{LookStatus, "UNREACHABLE", false, 35 * time.Second}},
			{Line: 10, At: 5 * time.Second, Verb: Skew, A: "east", Skew: -time.Minute},
			{Line: 11, At: 5 * time.Second, Verb: Crash, A: "east", Cell: 2},
			{Line: 12, At: 5 * time.Second, Verb: Expect, A: "west", Expect: Expectation{LookRequest, none, true, 2 * time.Second}},
			{Line: 8, At: 10 * time.Second, Verb: Every, A: "west", B: "east", Every: 250 * time.Millisecond, Until: 30 * time.Second},
		},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}

func TestParse_EndsWithItsLastExpectation(t *testing.T) {
	s, err := Parse(twoSites + "at 5s cut west east\nexpect west ready yes for 9s\nat 10s heal west east")
	if err != nil || s.End != 14*time.Second {
		t.Errorf("%v, %v", s, err)
	}
}

func TestParse_NamesEveryFault(t *testing.T) {
	for text, want := range map[string]string{
		"":                                                                 "at least one site",
		twoSites + "site west":                                             "line 3: there is a site west already",
		"site West":                                                        "not a site's name",
		"site all":                                                         "there is a site all",
		"site west cells 9":                                                "from 1 to 5",
		twoSites + "seed x":                                                "line 3",
		twoSites + "gossip loud":                                           "none of wan, lan, off",
		twoSites + "cut west east":                                         "needs a time: at 0s cut",
		twoSites + "at 1s cut west west":                                   "itself",
		twoSites + "at 1s cut west north":                                  `no site "north"`,
		twoSites + "at 1s cut west":                                        `no site ""`,
		twoSites + "at 1s cut west east east":                              "one word too many",
		twoSites + "at -1s cut west east":                                  "not a time",
		twoSites + "at 25h cut west east":                                  "not a time",
		twoSites + "at soon cut west east":                                 "not a time",
		twoSites + "at 1s jump west":                                       "not a statement",
		twoSites + "at 1s crash west 2":                                    "from 1 to 1",
		twoSites + "at 1s mend east 3":                                     "from 1 to 2",
		twoSites + "at 1s skew west late":                                  "+45s",
		twoSites + "at 1s remove west -> east":                             "two sites",
		twoSites + "associate west -> east":                                "both sides",
		twoSites + "link west east fast":                                   "not a time",
		twoSites + "link west east 1s loss 1":                              "percentage",
		twoSites + "link west east 1s loss NaN%":                           "percentage",
		twoSites + "link west east 1s loss 101%":                           "percentage",
		twoSites + "at 0s every 0s request west":                           "more often",
		twoSites + "at 0s every 1s west":                                   "expected: request",
		twoSites + "at 0s expect west status east":                         `"" is none of ACTIVE`,
		twoSites + "at 0s expect west status east GONE within 1s":          "none of ACTIVE",
		twoSites + "at 0s expect west ready maybe within 1s":               "none of yes, no",
		twoSites + "at 0s expect west members few within 1s":               "not a number",
		twoSites + "at 0s expect west mood good within 1s":                 "none of status",
		twoSites + "at 0s expect request west 200 soon":                    "none of within, for",
		twoSites + "at 0s expect request west 200 within 9s\nend 5s":       "after the end",
		twoSites + "at 0s cut west north\nat 0s heal south east":           "line 4",
		twoSites + strings.Repeat("at 0s cut west east\n", maxSteps+1):     "at most 1000 steps",
		strings.Repeat("# nothing\n", maxScript/10+1):                      "at most",
		"site a\nsite b\n" + strings.Repeat("associate all\n", maxSteps+1): "at most 1000 steps",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: %v; want %s", text, err, want)
		}
	}
}

// FuzzParse: whatever is accepted can be run, as far as the parser can know.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.rig")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(twoSites + "associate all\nat 0s every 1ms request west->east until 1s\nend 1s")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		if len(s.Sites) == 0 || len(s.Sites) > maxSites || len(s.Setup)+len(s.Steps) > 2*maxSteps {
			t.Fatalf("%d sites, %d steps", len(s.Sites), len(s.Steps))
		}
		last := time.Duration(0)
		for _, step := range s.Steps {
			if step.At < last || step.At+step.Expect.Time > s.End {
				t.Errorf("line %d at %v: after %v, before %v", step.Line, step.At, last, s.End)
			}
			last = step.At
		}
		for _, step := range append(s.Setup, s.Steps...) {
			for _, name := range []string{step.A, step.B} {
				if p := (&parser{script: s}); name != "" && !p.known(name) {
					t.Errorf("line %d: nobody is called %s", step.Line, name)
				}
			}
			if step.A == "" || step.A == step.B {
				t.Errorf("line %d: %q and %q", step.Line, step.A, step.B)
			}
		}
	})
}
