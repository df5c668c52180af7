package main

import (
	_ "embed"
	"fmt"
	"os/exec"
	"strings"

	"golang.org/x/mod/semver"
)

//go:embed minimums.tsv
var table string

// A minimum is the oldest version that is without a known advisory that matters.
type minimum struct{ path, version, why string }

func minimums() (all []minimum, err error) {
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if len(cells) != 3 || cells[2] == "" || !semver.IsValid(canonical(cells[1])) {
			return nil, fmt.Errorf("minimums.tsv: not module, version, why: %q", line)
		}
		all = append(all, minimum{cells[0], cells[1], cells[2]})
	}
	return all, nil
}

// canonical turns the toolchain's 1.26.6 and go1.26.6 into what semver compares.
func canonical(version string) string {
	return "v" + strings.TrimPrefix(strings.TrimPrefix(version, "v"), "go")
}

// outdated compares the table with the build list and the toolchain at hand.
func outdated() ([]string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "all").Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m all: %w", err)
	}
	have := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		have[path] = version
	}
	if have["go"], err = goEnv("GOVERSION"); err != nil {
		return nil, err
	}
	rows, err := minimums()
	if err != nil {
		return nil, err
	}
	return below(rows, have), nil
}

func below(rows []minimum, have map[string]string) (faults []string) {
	for _, m := range rows {
		version, used := have[m.path]
		version, _, _ = strings.Cut(version, " ") // a toolchain's experiments
		if used && semver.Compare(canonical(version), canonical(m.version)) < 0 {
			faults = append(faults, fmt.Sprintf("%s %s is older than %s: %s", m.path, version, m.version, m.why))
		}
	}
	return faults
}

func goEnv(name string) (string, error) {
	out, err := exec.Command("go", "env", name).Output()
	return strings.TrimSpace(string(out)), err
}
