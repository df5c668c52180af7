package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"causeway/internal/browsertest"
)

// TestOrganizationPages_FitEveryWindow opens each page of the group, on a telephone
// and on a desk. The tab itself watches for errors and for what the policy forbids.
func TestOrganizationPages_FitEveryWindow(t *testing.T) {
	w := start(t)
	acme := strings.TrimPrefix(w.acmePath(), w.Provider.URL)
	tab := w.Provider.enter(t, browsertest.Look{})
	for name, look := range map[string]browsertest.Look{"a desk": {}, "a telephone in the dark": {Width: 360, Dark: true}} {
		tab.Look(look)
		for _, path := range []string{
			"/organizations", "/organizations/new", acme, acme + "/administrator", acme + "/edit", acme + "/limits", acme + "/disable", acme + "/delete",
			"/administration/settings", "/administration/settings/general", "/administration/settings/lockout", "/administration/settings/tokens", "/administration/settings/compute",
			"/administration/quotas", "/administration/quotas/new", "/administration/quotas/organization", "/monitor/tasks",
		} {
			tab.Go(w.Provider.URL + path)
			if tab.Status() != http.StatusOK || tab.Overflows() || strings.Contains(tab.Text("body"), "[") {
				t.Errorf("%s on %s: %d, too wide: %v\n%s", path, name, tab.Status(), tab.Overflows(), tab.Text("main"))
			}
		}
	}
}
