package portal_test

import (
	"net/http"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/sitetest"
)

// TestServices_CSP3_R6_TenantsSeeTheirOwn: an organization's administrator sees what
// runs for the organization, not where it is, and changes none of it.
func TestServices_CSP3_R6_TenantsSeeTheirOwn(t *testing.T) {
	w := start(t)
	c, east := w.Client, w.File.Site("east")
	acme := portalOf{east.API + "/tenant/acme", east.Org("acme").Admin}
	own := c.NewInstance(t, "east", "acme", "acmetrics", "original", "name", `acme <img src=x>`)
	other := c.NewInstance(t, "east", "globex", "globometrics", "onboarded")
	tab := acme.enter(t, browsertest.Look{})

	tab.Follow("Service Instances")
	tab.Sees("acme <img src=x>", "Operations for Applications", "Original", "/acmetrics")
	tab.SeesNot("globometrics", "New instance")
	tab.Follow("acme <img src=x>")
	tab.Sees("An original instance", "The gateway refuses tokens of apps here", "Upstream 1")
	tab.SeesNot("127.0.0.1", "How it is reached", "X-Causeway-Identity", "Change", "Delete")
	at := tab.URL()
	tab.Follow("Operations for Applications")
	tab.Sees("Ships with the gateway", "Roles (18)")
	tab.SeesNot("Delete", "globometrics")

	tab.Go(at + "/accounts")
	tab.Sees("Nobody is a service account in this instance yet.")

	for name, path := range map[string]string{
		"another organization's instance":    acme.URL + "/applications/instances/" + other.ID,
		"its accounts":                       acme.URL + "/applications/instances/" + other.ID + "/accounts",
		"the provider's pages":               east.API + "/provider/applications/instances",
		"the provider's page of it":          east.API + "/provider/applications/instances/" + own.ID,
		"the form of a new one":              acme.URL + "/applications/instances/new",
		"the form of its own":                at + "/edit",
		"its end":                            at + "/delete",
		"the form of a new definition":       acme.URL + "/applications/definitions/new",
		"the provider's, of a definition":    east.API + "/provider/applications/definitions/new",
		"an instance that there is not":      acme.URL + "/applications/instances/" + inventoryID,
		"an instance that there cannot be":   acme.URL + "/applications/instances/1",
		"a definition that there is not":     acme.URL + "/applications/definitions/" + inventoryID,
		"an account's end that there is not": at + "/accounts/sa::none/end",
	} {
		tab.Go(path)
		if s := tab.Status(); s != http.StatusForbidden {
			t.Errorf("%s: %d\n%s", name, s, tab.Text("main"))
		}
	}
	c.Get(t, "east", ownAPI+"/serviceInstances/urn:vcloud:serviceInstance:"+own.ID, sitetest.Bearer(c.Login(t, "east", sitetest.System))).Want(t, http.StatusOK)
}
