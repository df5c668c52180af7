package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"causeway/internal/browsertest"
	"causeway/tenants"
)

// TestOwnTokens_R4_R7 makes, uses, renames and revokes a person's API token.
func TestOwnTokens_R4_R7(t *testing.T) {
	w := start(t)
	admin := w.Client.Login(t, "west", "acme")
	zoe := w.makeUser(t, admin, "zoe", w.makeRole(t, admin, "Scripter", tenants.RightTokenManage))
	tab := zoe.enter(t, browsertest.Look{})
	tab.Follow("API tokens")
	tab.Sees("You have no API tokens.")
	tab.Follow("New API token")
	tab.Fill("Name", "nightly")
	tab.Press("Create")
	secret := tab.Text("#api-token")
	if len(secret) != 32 || strings.Contains(tab.URL(), secret) || strings.Count(tab.Text("body"), secret) != 1 {
		t.Errorf("the token %q is shown at %s", secret, tab.URL())
	}
	w.Client.Refresh(t, "west", "acme", secret).Want(t, http.StatusOK)
	tab.Follow("I have kept it")
	tab.Sees("nightly")
	tab.SeesNot(secret)
	tab.Follow("New API token")
	tab.Fill("Name", "nightly")
	tab.Press("Create")
	if tab.Status() != http.StatusBadRequest || tab.Text("#f-name-error") != "You have a token with this name already." {
		t.Errorf("a name that is taken: %d, %s", tab.Status(), tab.Text("main"))
	}
	tab.Follow("API tokens")
	tab.Follow("Rename nightly")
	tab.Fill("Name", "weekly")
	tab.Press("Save")
	tab.Sees("The token has its new name.", "weekly")

	everybody := w.Acme.enter(t, browsertest.Look{Width: 360, Dark: true})
	everybody.Go(w.Acme.URL + "/own/api-tokens")
	everybody.SeesNot("weekly")
	everybody.Go(w.Acme.URL + "/administration/access-control/api-tokens")
	everybody.Sees("weekly", "zoe")
	if everybody.Overflows() {
		t.Error("the list is wider than a phone")
	}
	if tab.Go(w.Acme.URL + "/administration/access-control/api-tokens"); tab.Status() != http.StatusForbidden {
		t.Errorf("who may not see everybody's tokens is answered with %d", tab.Status())
	}
	everybody.Follow("Revoke the token weekly?")
	var action string
	everybody.Eval(`location.pathname`, &action)
	tab.Go(w.West.API + strings.Replace(action, "/administration/access-control/", "/own/", 1))
	tab.Sees("Revoke the token weekly?", "All sessions that were opened with it, at once.")
	tab.Press("Revoke")
	tab.Sees("The token is revoked.", "You have no API tokens.")
	if a := w.Client.Refresh(t, "west", "acme", secret); a.Status != http.StatusBadRequest {
		t.Errorf("after Revoke it is answered with %d", a.Status)
	}
	everybody.Press("Revoke")
	if everybody.Status() != http.StatusForbidden {
		t.Errorf("a token that is gone is revoked with %d", everybody.Status())
	}
	provider := w.Provider.enter(t, browsertest.Look{})
	provider.Go(w.Acme.URL + "/own/api-tokens")
	provider.Sees("You act in another organization. Your API tokens are in your own, System.")
}

// TestSessions_R4 ends sessions: one's own, and everybody's by who may.
func TestSessions_R4(t *testing.T) {
	w := start(t)
	admin := w.Client.Login(t, "west", "acme")
	zoe := w.makeUser(t, admin, "zoe", w.makeRole(t, admin, "Visitor", tenants.RightOrganizationView))
	here, there := zoe.enter(t, browsertest.Look{}), zoe.enter(t, browsertest.Look{})
	here.Follow("Sessions")
	here.Sees("this browser", "Log out here", "1–2 of 2")
	here.SeesNot("acme-admin")
	here.Press("End")
	here.Sees("The session has ended.", "1–1 of 1")
	there.Go(w.Acme.URL + "/own/sessions")
	if there.Text("h1") != "Log in" {
		t.Errorf("an ended session sees %s", there.Text("main"))
	}
	if here.Go(w.Acme.URL + "/administration/access-control/sessions"); here.Status() != http.StatusForbidden {
		t.Errorf("who may not see everybody's sessions is answered with %d", here.Status())
	}

	watcher := w.Acme.enter(t, browsertest.Look{})
	watcher.Go(w.Acme.URL + "/administration/access-control/sessions")
	watcher.Fill("Search", "zoe")
	watcher.Press("Apply")
	watcher.Sees("zoe", "Visitor", "1–1 of 1")
	watcher.Follow("End")
	watcher.Sees("End the session of zoe?")
	watcher.Press("End")
	watcher.Sees("The session has ended.")
	here.Go(w.Acme.URL + "/own/sessions")
	if here.Text("h1") != "Log in" {
		t.Errorf("an ended session sees %s", here.Text("main"))
	}
	watcher.Go(w.Acme.URL + "/own/sessions")
	watcher.Press("Log out here")
	if watcher.Text("h1") != "Log in" {
		t.Errorf("after the own session ended one sees %s", watcher.Text("main"))
	}
	watcher.Sees("You are logged out.")
}
