package browsertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/chromedp"
)

// axe is what judges whether everybody can use a page. It comes from npm, for tests
// alone; make test installs it.
var axe = sync.OnceValues(func() (string, error) {
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for root != filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		root = filepath.Dir(root)
	}
	source, err := os.ReadFile(filepath.Join(root, "internal/browsertest/js/node_modules/axe-core/axe.min.js"))
	if err != nil {
		return "", fmt.Errorf("axe-core is missing: run make axe, with the Debian packages nodejs and npm: %w", err)
	}
	return string(source), nil
})

// NoAxe is why no page can be judged, or nil.
func NoAxe() error {
	_, err := axe()
	return err
}

// Barriers lists what keeps somebody from using the page as it is shown now, by these
// rules of axe, or by all.
func (b *Tab) Barriers(rules ...string) (found []string) {
	b.t.Helper()
	source, err := axe()
	if err != nil {
		b.t.Skip(err)
	}
	var there bool
	if b.Eval("'axe' in window", &there); !there {
		b.do(chromedp.Evaluate[chromedp.Void](source))
	}
	var violations []struct {
		ID, Impact, Help string
		Nodes            []struct {
			HTML           string
			FailureSummary string
		}
	}
	options := map[string]any{"resultTypes": []string{"violations"}}
	if len(rules) > 0 {
		options["runOnly"] = rules
	}
	b.Eval("axe.run(document, "+text(options)+").then(r => r.violations)", &violations)
	for _, v := range violations {
		if v.Impact != "serious" && v.Impact != "critical" {
			continue
		}
		var where []string
		for _, n := range v.Nodes {
			where = append(where, n.HTML+": "+n.FailureSummary)
		}
		found = append(found, fmt.Sprintf("%s (%s): %s\n%s", v.ID, v.Impact, v.Help, strings.Join(where, "\n")))
	}
	return found
}
