// Command gosec runs gosec's rules over packages below the current directory:
//
//	gosec [-skip G104,G115] ./...
//
// gosec's own command also asks language models for corrections, and the libraries
// for that would take longer to build than all of Causeway; its rules do not need
// them.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/securego/gosec/v2"
	"github.com/securego/gosec/v2/analyzers"
	"github.com/securego/gosec/v2/issue"
	"github.com/securego/gosec/v2/rules"
)

func main() {
	skip := flag.String("skip", "", "rules that are not asked, divided by commas")
	flag.Parse()
	found, err := scan(strings.Split(*skip, ","), flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "gosec:", err)
		os.Exit(2)
	}
	for _, f := range found {
		fmt.Printf("%s:%s: %s: %s\n", f.File, f.Line, f.RuleID, f.What)
	}
	if len(found) > 0 {
		fmt.Fprintf(os.Stderr, "gosec: %d findings; one that is none is marked in its line: // #nosec G000 -- why\n", len(found))
		os.Exit(1)
	}
}

// other is where no code of the binary is.
var other = regexp.MustCompile(`/node_modules/|/internal/(tools|clients|chart|pgcluster|rig|[a-z]+test)(/|$)`)

func scan(skip, patterns []string) ([]*issue.Issue, error) {
	var packages []string
	for _, pattern := range patterns {
		paths, err := gosec.PackagePaths(pattern, nil)
		if err != nil {
			return nil, err
		}
		packages = append(packages, paths...)
	}
	packages = slices.DeleteFunc(packages, other.MatchString)
	if len(packages) == 0 {
		return nil, fmt.Errorf("no packages in %q", patterns)
	}
	a := gosec.NewAnalyzer(gosec.NewConfig(), false, true, false, 2, log.New(io.Discard, "", 0))
	a.LoadRules(rules.Generate(false, rules.NewRuleFilter(true, skip...)).RulesInfo())
	a.LoadAnalyzers(analyzers.Generate(false, analyzers.NewAnalyzerFilter(true, skip...)).AnalyzersInfo())
	if err := a.Process(nil, packages...); err != nil {
		return nil, err
	}
	found, _, broken := a.Report()
	for file, errs := range broken {
		for _, e := range errs { // what could not be read was not looked at
			return nil, fmt.Errorf("%s:%d: %s", file, e.Line, e.Err)
		}
	}
	found = slices.DeleteFunc(found, func(f *issue.Issue) bool { return other.MatchString(f.File) }) // of what they import
	slices.SortFunc(found, func(a, b *issue.Issue) int { return strings.Compare(a.FileLocation(), b.FileLocation()) })
	return found, nil
}
