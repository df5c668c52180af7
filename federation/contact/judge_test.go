package contact

import (
	"testing"

	"causeway/federation"
)

const (
	asym  = federation.Asymmetric
	act   = federation.StatusActive
	unr   = federation.Unreachable
	fault = federation.StatusError
)

// What a row of findings makes of an association.
func TestStatus_VCD_37_FollowsContact(t *testing.T) {
	for _, tt := range []struct {
		name string
		from federation.Status
		seen []verdict
		want []federation.Status
	}{
		{"completed by the first answer", asym, []verdict{good}, []federation.Status{act}},
		{"not reciprocated", asym, []verdict{denied, denied, missed, missed, missed, missed}, []federation.Status{asym, asym, asym, asym, asym, asym}},
		{"three misses", act, []verdict{missed, missed, missed}, []federation.Status{act, act, unr}},
		{"two misses are a restart", act, []verdict{missed, missed, good, missed, missed, good}, []federation.Status{act, act, act, act, act, act}},
		{"back with the second answer", unr, []verdict{good, good}, []federation.Status{unr, act}},
		{"one answer is not back", unr, []verdict{good, missed, good, good}, []federation.Status{unr, unr, unr, act}},
		{"removed there", act, []verdict{denied}, []federation.Status{asym}},
		{"removed there while apart", unr, []verdict{denied, good}, []federation.Status{asym, act}},
		{"unfit at once", act, []verdict{unfit}, []federation.Status{fault}},
		{"fit again", fault, []verdict{good, good}, []federation.Status{fault, act}},
		{"unfit and then gone", fault, []verdict{missed, missed, missed}, []federation.Status{fault, fault, unr}},
		{"another key", act, []verdict{unproven, unproven, unproven}, []federation.Status{act, act, fault}},
		{"another key, never complete", asym, []verdict{unproven, unproven, unproven}, []federation.Status{asym, asym, asym}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var j judge
			status := tt.from
			for i, v := range tt.seen {
				if next, changed := j.next(status, finding{verdict: v}); changed {
					status = next
				}
				if status != tt.want[i] {
					t.Fatalf("after %d findings: %s, want %s", i+1, status, tt.want[i])
				}
			}
		})
	}
}

// Versions are equal or one apart (VCD's rule for sites).
func TestVersions_OneApart(t *testing.T) {
	ours := Versions([]string{"36.0", "37.3", "39.1", "x"})
	if ours != (Range{36, 39}) {
		t.Fatal(ours)
	}
	for _, tt := range []struct {
		theirs Range
		want   bool
	}{{Range{36, 39}, true}, {Range{40, 41}, true}, {Range{41, 42}, false}, {Range{34, 35}, true}, {Range{33, 34}, false}, {Range{1, 99}, true}} {
		if ours.fits(tt.theirs) != tt.want || tt.theirs.fits(ours) != tt.want {
			t.Errorf("%v with %v: want %v", ours, tt.theirs, tt.want)
		}
	}
}
