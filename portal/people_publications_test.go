package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"causeway/internal/browsertest"
	"causeway/tenants"
)

// TestPublications_R7_WhatTenantsCanChoose publishes a role and rights to a tenant
// and takes them away again: the tenant's portal offers what is published, at once.
func TestPublications_R7_WhatTenantsCanChoose(t *testing.T) {
	w := start(t)
	token := w.Client.Login(t, "west", "acme")
	provider, acme := w.Provider.enter(t, browsertest.Look{}), w.Acme.enter(t, browsertest.Look{})
	const right = tenants.Right("API Explorer: View")

	provider.Follow("Global Roles")
	provider.Sees("Organization Administrator", "All organizations")
	provider.Follow("New global role")
	provider.Fill("Name", "Guide")
	provider.Fill("Filter the rights", string(right))
	provider.Tick(string(right))
	provider.Press("Look at what changes")
	provider.Sees("1 right is added", "It is a role that organizations can give once it is published to them.")
	provider.Press("Create the global role")
	provider.Sees("It is created.", "It is published to no organization.")
	guide := provider.URL()

	provider.Follow("Publish")
	provider.Fill("Organizations", "acme\nnobody\n")
	provider.Press("Look at what changes")
	provider.Sees("There are no such organizations: nobody.")
	provider.Fill("Organizations", "ACME\nacme\n")
	provider.Press("Look at what changes")
	provider.Sees("1 organization gets it")
	if id, _ := w.roleOf(t, token, "Guide"); id != "" {
		t.Error("looking at it published it")
	}
	provider.Press("Publish")
	provider.Sees("It is published.", "acme")
	acme.Go(w.Acme.URL + peoplePath + "/roles?q=Guide")
	acme.Follow("Guide")
	acme.Sees("The provider publishes this role and alone can change it.", "The role allows 1 thing")
	id, _ := w.roleOf(t, token, "Guide")
	lara := w.makeUser(t, token, "lara", id)
	lara.enter(t, browsertest.Look{}).Sees("with the role Guide")

	t.Run("a right", func(t *testing.T) { withdrawnRight(t, w, provider, acme, token, right) })

	provider.Go(guide)
	provider.Follow("Unpublish")
	provider.Sees("Unpublish Guide from acme?", "1 user and 0 service accounts hold it there now")
	provider.Press("Unpublish")
	provider.Sees("It is not published there any more.", "It is published to no organization.")
	acme.Go(w.Acme.URL + peoplePath + "/roles/" + id)
	if acme.Status() != http.StatusForbidden {
		t.Errorf("the role that was unpublished: %d", acme.Status())
	}
	acme.Go(w.Acme.URL + peoplePath + "/users?q=lara")
	acme.Sees("A role that is not published here now")

	provider.Follow("Publish to all")
	provider.Press("Publish to all")
	provider.Sees("Every organization, later ones as well", "acme")
	provider.Follow("Unpublish from all")
	provider.Press("Unpublish from all")
	provider.Sees("It is published to nobody any more.")
	if id, _ := w.roleOf(t, token, "Guide"); id != "" {
		t.Error("the tenant still has it")
	}
}

// withdrawnRight takes a right out of the bundle that every organization has.
func withdrawnRight(t *testing.T, w *world, provider, acme *browsertest.Tab, token string, right tenants.Right) {
	bundle := w.Provider.URL + peoplePath + "/rights-bundles/" + string(tenants.DefaultRightsBundles()[0].ID)
	change := func(says string) {
		provider.Go(bundle + "/edit")
		provider.Fill("Filter the rights", string(right))
		provider.Tick(string(right))
		provider.Press("Look at what changes")
		provider.Sees(says, "It is published to 1 organization")
		provider.Press("Save the changes")
		provider.Sees("It is saved.")
	}
	offered := func() (is bool) {
		acme.Go(w.Acme.URL + peoplePath + "/roles/new")
		acme.Eval(`document.querySelector('input[value="`+rightID(t, right)+`"]') !== null`, &is)
		return is
	}
	if !offered() {
		t.Fatal("the right is not offered")
	}
	change("1 right is removed")
	if offered() {
		t.Error("a right that is not published is offered")
	}
	acme.Go(w.Acme.URL + peoplePath + "/rights/" + rightID(t, right))
	if acme.Status() != http.StatusForbidden {
		t.Errorf("the catalog shows it: %d", acme.Status())
	}
	got := w.send(t, http.MethodPost, w.Acme.URL+peoplePath+"/roles/new", w.session(t, w.Acme), url.Values{
		"name": {"Forged"}, "step": {"save"}, "right": {rightID(t, right)},
	})
	if id, _ := w.roleOf(t, token, "Forged"); got.Status != http.StatusBadRequest || id != "" {
		t.Errorf("a role with a right that is not published: %d, %q", got.Status, id)
	}
	change("1 right is added")
	if !offered() {
		t.Error("the right did not come back")
	}
}

// TestRightsCatalog tells what a right allows, brings along and opens.
func TestRightsCatalog(t *testing.T) {
	w := start(t)
	acme := w.Acme.enter(t, browsertest.Look{})
	acme.Follow("Rights")
	acme.Fill("Search", "lock and delete users")
	acme.Press("Apply")
	acme.Sees("Group / User: Manage", "People only", "Group / User: View")
	acme.Follow("Group / User: Manage")
	acme.Sees("POST /cloudapi/1.0.0/users", "Organization Administrator", "no service account and no API token ever has it")
	acme.Go(w.Acme.URL + peoplePath + "/rights?q=Site%3A+Manage")
	acme.Sees("Nothing matches.")
	if got := menu(acme); slices.Contains(got, "Global Roles") || slices.Contains(got, "Rights Bundles") {
		t.Errorf("a tenant can open %q", got)
	}
	if got := w.send(t, http.MethodGet, w.Acme.URL+peoplePath+"/global-roles", w.session(t, w.Acme), nil); got.Status != http.StatusNotFound {
		t.Errorf("a tenant sees global roles: %d", got.Status)
	}
}
