package version

import (
	"runtime/debug"
	"testing"
)

func TestDescribe(t *testing.T) {
	stamped := &debug.BuildInfo{
		GoVersion: "go1.26.8",
		Main:      debug.Module{Version: "v0.0.0-20260102150405-0123456789ab"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "0123456789abcdef"},
			{Key: "vcs.time", Value: "2026-01-02T15:04:05Z"},
			{Key: "vcs.modified", Value: "true"},
		},
	}
	for _, tt := range []struct {
		name  string
		set   Info
		build *debug.BuildInfo
		want  string
	}{
		{"the linker's word counts", Info{Version: "v1.2.3", Commit: "fedcba9876543210", Date: "2027-01-01T00:00:00Z"}, stamped,
			"v1.2.3 (fedcba987654, 2027-01-01T00:00:00Z)"},
		{"plain go build", Info{}, stamped, "v0.0.0-20260102150405-0123456789ab (0123456789ab, 2026-01-02T15:04:05Z)"},
		{"nothing known", Info{}, nil, "(devel)"},
		{"short commit", Info{Version: "v1", Commit: "abc"}, nil, "v1 (abc)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := describe(tt.set, tt.build).String(); got != tt.want {
				t.Errorf("got %q; want %q", got, tt.want)
			}
		})
	}
	if got := describe(Info{}, stamped); !got.Dirty || got.Go != "go1.26.8" {
		t.Errorf("got %+v; want it dirty and built by go1.26.8", got)
	}
}
