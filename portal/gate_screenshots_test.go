package portal_test

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"causeway/internal/browsertest"
)

// shots are the pages of which docs/images has a picture.
var shots = []struct {
	file, path string
	provider   bool
	look       browsertest.Look
}{
	{"start.png", "", true, browsertest.Look{Width: 1200}},
	{"accounts.png", "/administration/access-control/service-accounts", false, browsertest.Look{Width: 1200}},
	{"review-dark.png", "/administration/access-control/service-accounts/review", false, browsertest.Look{Width: 1200, Dark: true}},
	{"apps.png", "/applications/apps", false, browsertest.Look{Width: 1200}},
	{"sites.png", "/multisite/sites", true, browsertest.Look{Width: 1200}},
	{"numbers-dark.png", "/monitor/numbers", true, browsertest.Look{Width: 1200, Dark: true}},
	{"audit-narrow.png", "/monitor/audit", false, browsertest.Look{Width: 360}},
}

// TestScreenshots draws the main pages: into the folder of CAUSEWAY_SCREENSHOTS, for
// the documentation, or to see that it can be done.
func TestScreenshots(t *testing.T) {
	folder := cmp.Or(os.Getenv("CAUSEWAY_SCREENSHOTS"), t.TempDir())
	w := start(t)
	tabs := map[bool]*browsertest.Tab{true: w.Provider.enter(t, browsertest.Look{}), false: w.Acme.enter(t, browsertest.Look{})}
	for _, shot := range shots {
		tab, base := tabs[shot.provider], w.Acme.URL
		if shot.provider {
			base = w.Provider.URL
		}
		tab.Look(shot.look)
		tab.Go(base + shot.path)
		if tab.Status() != 200 {
			t.Errorf("%s answers %d", shot.path, tab.Status())
		}
		tab.Screenshot(filepath.Join(folder, shot.file))
	}
	sum := int64(0)
	err := filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		sum += info.Size()
		return err
	})
	if err != nil || sum > 1<<20 {
		t.Errorf("the pictures have %d bytes: %v", sum, err)
	}
}
