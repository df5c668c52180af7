package clients

import (
	"net/url"
	"slices"
	"testing"

	"github.com/vmware/go-vcloud-director/v3/govcd"
)

// lister is an account that may list organizations, connected by the SDK at the
// first site and known by name and software id at the others.
func (w *world) lister(t *testing.T) *govcd.VCDClient {
	t.Helper()
	const software = "0c8f1f3e-55d2-4a4e-9a4b-0a70e0a7a002"
	var token string
	for i, site := range w.Sites {
		u, err := url.Parse(site.API + "/api")
		must(t, err)
		for _, org := range site.Organizations {
			c := govcd.NewVCDClient(*u, true)
			must(t, c.Authenticate(org.Admin.User, org.Admin.Password, org.Name))
			account := get(c.CreateServiceAccount(org.Name, "lister", "urn:vcloud:role:Organization%20Administrator", software, "1", ""))(t)
			if i > 0 {
				continue // there it need not be connected
			}
			must(t, account.Authorize())
			must(t, account.Refresh())
			must(t, account.Grant())
			token = get(account.GetInitialApiToken())(t).RefreshToken
		}
	}
	app := govcd.NewVCDClient(w.api, true)
	must(t, app.SetToken("acme", govcd.ApiTokenHeader, token))
	return app
}

// TestGoVCDMultisite: the SDK's list of organizations everywhere is that of each
// site after the other.
func TestGoVCDMultisite(t *testing.T) {
	w := newWorld(t)
	app := w.lister(t)
	here := get(app.GetAllOrgs(nil, false))(t)
	everywhere := get(app.GetAllOrgs(nil, true))(t)
	var names []string
	for _, o := range everywhere {
		names = append(names, o.Org.Name)
	}
	slices.Sort(names)
	if len(here) != 1 || !slices.Equal(names, []string{"acme", "acme", "acme-labs"}) {
		t.Errorf("%d organizations here, everywhere %s", len(here), names)
	}
	query := url.Values{"pageSize": {"1"}, "sortDesc": {"name"}}
	if paged := get(app.GetAllOrgs(query, true))(t); len(paged) != 3 || paged[0].Org.Name != "acme-labs" {
		t.Errorf("page by page there are %d", len(paged))
	}
}
