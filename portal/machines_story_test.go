package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/sitetest"
)

const (
	machines    = "/administration/access-control/service-accounts"
	accessCodes = machines + "/review"
)

// asks starts a device grant as an app does, and returns what it is given.
func (w *world) asks(t testing.TB, org, client string) (userCode, deviceCode, verificationURI string) {
	t.Helper()
	d := w.Client.Ask(t, "west", org, client).Want(t, http.StatusOK)
	return d.String(t, "user_code"), d.String(t, "device_code"), d.String(t, "verification_uri")
}

// lookUp enters a user code.
func lookUp(tab *browsertest.Tab, code string) {
	tab.Follow("Review Access Requests")
	tab.Fill("User code", code)
	tab.Press("Look up")
}

// clientOf is the client id that an account's page shows.
func clientOf(tab *browsertest.Tab) string { return tab.Text("#client-id") }

// TestGrantStory_VCD41_VCD42_VCD45_VCD48_VCD54_VCD57_VCD62_VCD64_VCD80_R2 is the whole
// way of a service account: described in the wizard, asked for by the app, reviewed,
// granted, used, revoked and deleted, in each portal.
func TestGrantStory_VCD41_VCD42_VCD45_VCD48_VCD54_VCD57_VCD62_VCD64_VCD80_R2(t *testing.T) {
	w := start(t)
	for org, p := range map[string]struct {
		portalOf
		role, section string
	}{
		sitetest.System: {w.Provider, "System Administrator", "PROVIDER ACCESS CONTROL"},
		"acme":          {w.Acme, "Inventory Operator", "ACCESS CONTROL"},
	} {
		t.Run(org, func(t *testing.T) {
			tab := p.enter(t, browsertest.Look{})
			grantStory(t, w, tab, org, p.URL, p.role, p.section)
		})
	}
}

func grantStory(t *testing.T, w *world, tab *browsertest.Tab, org, base, role, section string) {
	tab.Sees(section)
	tab.Follow("Service Accounts")
	if tab.URL() != base+machines {
		t.Errorf("the menu leads to %s", tab.URL())
	}
	client := wizardStory(t, w, tab, role)

	if a := w.Client.Ask(t, "west", org, ""); a.Status != http.StatusBadRequest {
		t.Errorf("without the client ID an app may ask: %d", a.Status)
	}
	code, device, uri := w.asks(t, org, client)
	if uri != base+machines {
		t.Errorf("the app prints %s", uri)
	}
	if w.Client.Poll(t, "west", org, client, device).String(t, "error") != "authorization_pending" {
		t.Error("the app need not wait for an answer")
	}
	tab.Go(uri)
	tab.Sees("REQUESTED")
	lookUp(tab, " "+strings.ToLower(strings.ReplaceAll(code, "-", " ")))
	tab.Sees("Story Bot", "7.1 <beta>", "127.0.0.1", "Go-http-client", role, "https://vendor.example/story", "This software is new here.",
		"Grant only what you started yourself.")
	if strings.Contains(tab.URL(), code) || !strings.HasSuffix(tab.URL(), accessCodes) {
		t.Errorf("the code is in %s", tab.URL())
	}
	tab.Press("Grant access")
	tab.Sees("Access granted to Story Bot", "GRANTED")

	tokens := w.Client.Poll(t, "west", org, client, device).Want(t, http.StatusOK)
	tab.Reload()
	tab.Sees("ACTIVE", "The app has fetched its tokens.")
	tab.Follow("Service Accounts")
	if row := tab.Text("tbody tr:has(a[href$='" + client + "'])"); !strings.Contains(row, "ACTIVE") {
		t.Errorf("the list says %s", row)
	}
	refreshed := w.Client.Refresh(t, "west", org, tokens.String(t, "refresh_token")).Want(t, http.StatusOK)

	tab.Follow("Story Bot")
	tab.Sees("created the service account", "granted access to the service account", "fetched the first tokens")
	tab.Follow("Revoke")
	tab.Sees("Revoke the access of Story Bot?", "An app uses this account", "2 sessions of the app, at once.", "The app must ask for access again")
	tab.Press("Revoke")
	tab.Sees("The access is revoked.", "CREATED")
	if a := w.Client.Refresh(t, "west", org, refreshed.String(t, "refresh_token")); a.Status != http.StatusBadRequest || a.String(t, "error") != "invalid_grant" {
		t.Errorf("after Revoke a refresh is answered with %d %s", a.Status, a.Body)
	}
	if a := w.Client.Get(t, "west", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(refreshed.String(t, "access_token"))); a.Status != http.StatusUnauthorized {
		t.Errorf("after Revoke the access token is answered with %d", a.Status)
	}

	code, device, _ = w.asks(t, org, client)
	lookUp(tab, code)
	tab.SeesNot("This software is new here.")
	tab.Press("Deny")
	tab.Sees("The request is denied.")
	if got := w.Client.Poll(t, "west", org, client, device).String(t, "error"); got != "access_denied" {
		t.Errorf("after Deny the app is told %s", got)
	}
	tab.Go(base + machines + "/" + client)
	tab.Follow("Delete")
	tab.Sees("Delete Story Bot?", client)
	tab.Press("Delete")
	tab.Sees("The service account is deleted.")
	tab.SeesNot("Story Bot")
	if a := w.Client.Ask(t, "west", org, client); a.Status != http.StatusBadRequest {
		t.Errorf("a deleted account may ask: %d", a.Status)
	}
}

// wizardStory makes the account, with a mistake at each step and a way back.
func wizardStory(t *testing.T, w *world, tab *browsertest.Tab, role string) (client string) {
	t.Helper()
	tab.Follow("New service account")
	tab.Fill("Name", "Story Bot")
	tab.Tick(role)
	tab.Press("Next")
	tab.Click("[data-generate]")
	generated := tab.Value("Software ID")
	if len(generated) != 36 {
		t.Errorf("Generate makes %q", generated)
	}
	tab.Sees("If the vendor gives one, keep it as it is.", "use the same for all instances and versions of this software")
	const vendors = "BC2528FD-0EC0-4B51-9A0B-29B52D57A5C5"
	tab.Fill("Software ID", vendors[:30])
	tab.Fill("Software version", "7.1 <beta>")
	tab.Press("Next")
	if tab.Status() != http.StatusBadRequest || !strings.Contains(tab.Text("#f-softwareId-error"), "A software ID is a UUID") {
		t.Errorf("half a software ID: %d, %s", tab.Status(), tab.Text("main"))
	}
	tab.Fill("Software ID", vendors)
	// What the browser itself takes for an address, and is no page of the web.
	tab.Fill("Client URI", "javascript:alert(1)//")
	tab.Press("Next")
	if tab.Status() != http.StatusBadRequest || !strings.Contains(tab.Text("#f-uri-error"), "must be complete") {
		t.Errorf("an address that is none: %d, %s", tab.Status(), tab.Text("main"))
	}
	tab.Fill("Client URI", "https://vendor.example/story")
	tab.Press("Next")
	tab.Press("Back")
	if tab.Value("Software version") != "7.1 <beta>" || tab.Value("Client URI") != "https://vendor.example/story" {
		t.Error("the way back loses what was entered")
	}
	tab.Press("Next")
	tab.Sees("Nothing has been made yet.", "Story Bot", role, vendors, "7.1 <beta>", "https://vendor.example/story")
	tab.Press("Create")
	tab.Sees("The service account is created.", "CREATED", vendors, "/device_authorization", "/token")
	var link string
	tab.Eval(`document.querySelector("a[href='https://vendor.example/story']").rel`, &link)
	if link != "noopener noreferrer nofollow" {
		t.Errorf("the client URI's link is %q", link)
	}
	client = clientOf(tab)

	tab.Follow("Service Accounts")
	if row := tab.Text("tbody tr:has(a[href$='" + client + "'])"); !strings.Contains(row, "CREATED") || !strings.Contains(row, "7.1 <beta>") {
		t.Errorf("the list says %s", row)
	}
	tab.Follow("New service account")
	tab.Fill("Name", "Story Bot")
	tab.Tick(role)
	tab.Press("Next")
	if tab.Status() != http.StatusBadRequest || tab.Text("#f-name-error") != "There is a service account with this name already." {
		t.Errorf("a name that is taken: %d, %s", tab.Status(), tab.Text("main"))
	}
	return client
}

// TestWizard_VCD45_WithoutScript makes an account by what the server alone offers.
func TestWizard_VCD45_WithoutScript(t *testing.T) {
	w := start(t)
	tab := w.Acme.enter(t, browsertest.Look{NoScript: true})
	tab.Go(w.Acme.URL + machines + "/new")
	tab.Fill("Name", "No Script")
	tab.Tick("Inventory Operator")
	tab.Press("Next")
	tab.Fill("Software version", "1")
	tab.Press("Generate")
	if len(tab.Value("Software ID")) != 36 || tab.Value("Software version") != "1" {
		t.Errorf("the server generates %q and keeps %q", tab.Value("Software ID"), tab.Value("Software version"))
	}
	tab.Press("Next")
	tab.Press("Create")
	tab.Sees("The service account is created.")
}
