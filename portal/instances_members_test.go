package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"causeway/internal/sitetest"
	"causeway/tenants"
)

// TestInstances_R6_MembersSeeWhatTheAPITells: whoever is a member of an organization
// and has no right to see instances learns of its own what the API tells members, and
// of others nothing, also in the provider's portal.
func TestInstances_R6_MembersSeeWhatTheAPITells(t *testing.T) {
	w := start(t)
	own := w.Client.NewInstance(t, "west", "acme", "acmetrics", "onboarded")
	const path = "/applications/instances"
	open := func(p portalOf, path string, status int) string {
		t.Helper()
		return string(w.send(t, http.MethodGet, p.URL+path, w.session(t, p), nil).Want(t, status).Body)
	}
	of := map[string]portalOf{}
	for name, p := range map[string]portalOf{"acme": w.Acme, sitetest.System: w.Provider} {
		token := w.Client.Login(t, "west", name)
		m := w.makeUser(t, token, "mia", w.makeRole(t, token, "Only a member", tenants.RightOrgMember))
		m.URL = p.URL
		of[name] = m
	}

	for _, page := range []string{open(of["acme"], path, http.StatusOK), open(of["acme"], path+"/"+own.ID, http.StatusOK)} {
		if !strings.Contains(page, "acmetrics") {
			t.Error("a member does not see the organization's instance")
		}
		for _, hidden := range []string{"Upstream 1", "upstream", "Last changed", "routes", "127.0.0.1"} {
			if strings.Contains(page, hidden) {
				t.Errorf("a member is told %q", hidden)
			}
		}
	}
	if full := open(w.Acme, path+"/"+own.ID, http.StatusOK); !strings.Contains(full, "Upstream 1") || !strings.Contains(full, "routes") {
		t.Error("who may see instances does not see how they are")
	}

	if page := open(of[sitetest.System], path, http.StatusOK); strings.Contains(page, "acmetrics") {
		t.Error("a member of the provider's organization is shown a tenant's instance")
	}
	if page := open(w.Provider, path, http.StatusOK); !strings.Contains(page, "acmetrics") {
		t.Error("the provider is not shown every instance")
	}
	a := w.send(t, http.MethodGet, w.Provider.URL+path+"/"+own.ID, w.session(t, of[sitetest.System]), nil)
	if strings.Contains(string(a.Body), "127.0.0.1") {
		t.Errorf("a member of the provider's organization is told where an instance is: %d", a.Status)
	}
}
