package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/sitetest"
)

const cloudOrgs = "/cloudapi/1.0.0/orgs"

// organization is what the API tells of the organization of this name, or nil.
func (w *world) organization(t *testing.T, token, name string) map[string]any {
	t.Helper()
	answer := w.Client.Get(t, "west", cloudOrgs+"?filter=name=="+url.QueryEscape(name), sitetest.Bearer(token)).Want(t, http.StatusOK)
	for _, v := range answer.JSON(t)["values"].([]any) {
		return v.(map[string]any)
	}
	return nil
}

// TestOrganization_FromItsBeginningToItsEnd is the whole life of a tenant, in the
// provider's tab and in that of the tenant's first administrator.
func TestOrganization_FromItsBeginningToItsEnd(t *testing.T) {
	w := start(t)
	token := w.Client.Login(t, "west", sitetest.System)
	provider, initech := w.Provider.enter(t, browsertest.Look{}), w.West.API+"/tenant/Initech"

	provider.Follow("Organizations")
	provider.Follow("New organization")
	provider.Fill("Name", "acme")
	provider.Press("Create the organization")
	if provider.Status() != http.StatusBadRequest || provider.Text("#f-name-error") != "An object with this name exists already." {
		t.Errorf("a name that is taken: %d, %s", provider.Status(), provider.Text("main"))
	}
	provider.Fill("Name", "Initech")
	provider.Fill("Full name", `<b onclick="alert(1)">Initech</b>`)
	provider.Press("Create the organization")
	provider.Sees("The organization is created.")
	provider.Fill("User name", "peter")
	provider.Fill("Password", "short")
	provider.Press("Add the administrator")
	if provider.Text("#f-password-error") != "A password has at least 8 characters." || provider.Value("User name") != "peter" || provider.Value("Password") != "" {
		t.Errorf("a short password: %s", provider.Text("main"))
	}
	const password = "red stapler 1999"
	provider.Fill("Password", password)
	provider.Press("Add the administrator")
	provider.Sees("The administrator is added, and can log in.", initech, `<b onclick="alert(1)">Initech</b>`)
	details := provider.URL()
	if o := w.organization(t, token, "Initech"); o["userCount"] != 1.0 || o["isEnabled"] != true {
		t.Errorf("the API tells of %v", o)
	}

	admin := browsertest.Open(t, browsertest.Look{})
	admin.LogIn(initech, "peter", password)
	admin.Follow("Settings")
	admin.Sees("How Initech is called")

	provider.Follow("Disable")
	provider.Sees("Disable Initech?", "1 session ends at once.")
	provider.Press("Disable")
	provider.Sees("The organization is disabled. Its sessions have ended.")
	admin.Go(initech)
	if admin.Text("h1") != "Log in" {
		t.Errorf("somebody of a disabled organization sees %s", admin.Text("main"))
	}
	admin.Fill("User name", "peter")
	admin.Fill("Password", password)
	admin.Press("Log in")
	if admin.Status() != http.StatusUnauthorized {
		t.Errorf("the login is answered with %d", admin.Status())
	}
	admin.Sees("The name or the password is wrong, or the account is closed.")
	if w.organization(t, token, "Initech")["isEnabled"] != false {
		t.Error("the API tells that it is enabled")
	}

	provider.Press("Enable")
	provider.Sees("The organization is enabled.")
	admin.LogIn(initech, "peter", password)

	provider.Go(details + "/delete")
	provider.Sees("Disable it first")
	provider.Fill("Type the name of the organization", "Initech")
	provider.Press("Delete")
	provider.Sees("The organization must be disabled before it is deleted.")
	provider.Go(details + "/disable")
	provider.Press("Disable")
	provider.Follow("Delete")
	provider.Sees("Delete Initech?", "1 user, with all sessions and API tokens", "0 service accounts")
	provider.Fill("Type the name of the organization", "initech")
	provider.Press("Delete")
	if provider.Text("#f-name-error") == "" || w.organization(t, token, "Initech") == nil {
		t.Errorf("another name than the organization's: %s", provider.Text("main"))
	}
	provider.Fill("Type the name of the organization", "Initech")
	provider.Press("Delete")
	provider.Sees("The organization is deleted.", "Deleted organization Initech", "Success")
	if o := w.organization(t, token, "Initech"); o != nil {
		t.Errorf("the API still tells of %v", o)
	}
	task := provider.Text("#task-id")
	if status := w.Client.Get(t, "west", "/api/task/"+task, sitetest.Bearer(token, "Accept", "application/*+json;version=37.0")).Want(t, http.StatusOK).String(t, "status"); status != "success" {
		t.Errorf("the API tells that the task is at %q", status)
	}
	provider.Follow("Tasks")
	provider.Sees("Deleted organization Initech")
	provider.Go(details)
	if provider.Status() != http.StatusForbidden {
		t.Errorf("an organization that is gone is answered with %d", provider.Status())
	}
}

// TestOrganizations_R6_ATenantOpensNoneOfThem asks for every address of the
// provider's as a tenant, and for what only the provider does in a tenant's portal.
func TestOrganizations_R6_ATenantOpensNoneOfThem(t *testing.T) {
	w := start(t)
	tab := w.Acme.enter(t, browsertest.Look{})
	own := "/organizations/" + strings.TrimPrefix(w.West.Org("acme").ID, "urn:vcloud:org:")
	for _, path := range []string{"/organizations", "/organizations/new", own, own + "/edit", own + "/limits", own + "/disable", own + "/delete", own + "/administrator"} {
		tab.Go(w.Provider.URL + path)
		if shown := tab.Text("h1"); tab.Status() != http.StatusForbidden || shown != "This did not work" {
			t.Errorf("%s in the provider's portal: %d, %s", path, tab.Status(), shown)
		}
	}
	tab.Go(w.Acme.URL + "/administration/quotas")
	tab.SeesNot("Choose another")
	tab.Go(w.Acme.URL + "/administration/quotas/organization")
	tab.Press("Save")
	if tab.Status() != http.StatusForbidden {
		t.Errorf("a tenant gives itself a quota: %d", tab.Status())
	}
	tab.Sees("Only the provider assigns a quota policy to an organization.")
	tab.Go(w.West.API + "/tenant/globex/administration/settings")
	if tab.Status() != http.StatusForbidden {
		t.Errorf("another tenant's settings: %d", tab.Status())
	}
}
