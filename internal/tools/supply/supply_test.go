package main

import (
	"strings"
	"testing"
)

func TestMinimums_R15_OlderIsAFault(t *testing.T) {
	rows, err := minimums()
	if err != nil || len(rows) < 5 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	have := map[string]string{}
	for _, m := range rows {
		have[m.path] = m.version
	}
	have["go"] = "go1.26.6 X:somethingelse"
	if faults := below(rows, have); len(faults) > 0 {
		t.Errorf("the minimums themselves are refused: %q", faults)
	}
	have["go"], have["github.com/jackc/pgx/v5"] = "go1.26.5", "v5.9.9"
	delete(have, "github.com/quic-go/quic-go")
	if faults := below(rows, have); len(faults) != 2 {
		t.Errorf("an old toolchain and an old module: %q", faults)
	}
}

func TestLicences_R15_OthersAreRefused(t *testing.T) {
	mit, gpl := licence{name: "LICENSE", ids: []string{"MIT"}}, licence{name: "sub/COPYING", ids: []string{"GPL-3.0"}}
	for name, tt := range map[string]struct {
		files []licence
		want  string
	}{
		"allowed":        {[]licence{mit}, ""},
		"with a notice":  {[]licence{mit, {name: "NOTICE"}}, ""},
		"not allowed":    {[]licence{mit, gpl}, "GPL-3.0 is not an allowed licence"},
		"unknown terms":  {[]licence{mit, {name: "LICENSE-2"}}, "the terms in LICENSE-2 are not known"},
		"nothing at all": {nil, "no licence that we know"},
	} {
		faults := strings.Join(refused([]module{{Path: "example.com/m", files: tt.files}}), "; ")
		if (faults == "") != (tt.want == "") || !strings.Contains(faults, tt.want) {
			t.Errorf("%s: %q", name, faults)
		}
	}
}
