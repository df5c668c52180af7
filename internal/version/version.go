// Package version says which build this is. `make build` sets the variables by
// -ldflags; a plain `go build` or `go install` is described by what the go
// command stamped into the binary.
package version

import (
	"cmp"
	"runtime/debug"
)

// Set with -ldflags "-X causeway/internal/version.Version=…". Read [Get].
var (
	Version string // the release, or git describe
	Commit  string // the full hash
	Date    string // of the commit, not of the build: builds must be reproducible
)

// Info describes the running binary. Dirty means that files differed from Commit.
type Info struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date,omitempty"`
	Go      string `json:"go"`
	Dirty   bool   `json:"dirty,omitempty"`
}

// Get returns what is known of this build; Version is never empty.
func Get() Info {
	build, _ := debug.ReadBuildInfo()
	return describe(Info{Version: Version, Commit: Commit, Date: Date}, build)
}

// describe fills what the linker left empty from build, which may be nil.
func describe(set Info, build *debug.BuildInfo) Info {
	if build != nil {
		stamp := map[string]string{}
		for _, s := range build.Settings {
			stamp[s.Key] = s.Value
		}
		set.Version = cmp.Or(set.Version, build.Main.Version)
		set.Commit = cmp.Or(set.Commit, stamp["vcs.revision"])
		set.Date = cmp.Or(set.Date, stamp["vcs.time"])
		set.Dirty = set.Dirty || stamp["vcs.modified"] == "true"
		set.Go = build.GoVersion
	}
	set.Version = cmp.Or(set.Version, "(devel)")
	return set
}

// String is one line for people: v1.2.3 (0123456789ab, 2026-01-02T15:04:05Z).
func (i Info) String() string {
	s := i.Version
	if i.Commit != "" {
		s += " (" + i.Commit[:min(12, len(i.Commit))]
		if i.Date != "" {
			s += ", " + i.Date
		}
		s += ")"
	}
	return s
}
