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
	{"accounts.png", "/administration/access-control/service-accounts", false, browsertest.Look{Width: 900}},
	{"sites-dark.png", "/multisite/sites", true, browsertest.Look{Width: 900, Dark: true}},
	{"explain-narrow.png", "/monitor/explain", false, browsertest.Look{Width: 360}},
}

// maxPictures bounds what the pictures of the documentation take, in bytes.
const maxPictures = 1 << 20

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
	drawRequest(t, w, tabs[false], filepath.Join(folder, "review.png"))
	sum := int64(0)
	err := filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		sum += info.Size()
		return err
	})
	if err != nil || sum > maxPictures {
		t.Errorf("the pictures have %d bytes: %v", sum, err)
	}
}

// drawRequest draws what an administrator sees of an app that asks for access.
func drawRequest(t *testing.T, w *world, tab *browsertest.Tab, file string) {
	t.Helper()
	bot, _ := w.Client.Account(t, "west", w.Client.Login(t, "west", "acme"), "inventory-bot")
	code := w.Client.Ask(t, "west", "acme", bot).Want(t, 200).String(t, "user_code")
	tab.Look(browsertest.Look{Width: 1000})
	tab.Go(w.Acme.URL + accessCodes)
	tab.Fill("User code", code)
	tab.Press("Look up")
	tab.Sees("Access for inventory-bot")
	tab.Screenshot(file)
}
