package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"causeway/internal/browsertest"
	"causeway/internal/sitetest"
	"causeway/tenants"
)

const (
	peoplePath   = "/administration/access-control"
	peoplesSpell = "open sesame 1001"
)

// rightID is the identifier by which forms name a right.
func rightID(t testing.TB, name tenants.Right) string {
	t.Helper()
	info, ok := tenants.LookUpRight(name)
	if !ok {
		t.Fatalf("there is no right %q", name)
	}
	return info.ID()
}

// roleOf is what the API tells of a role by its name: its identifier and the names
// of its rights, sorted. Without such a role the identifier is empty.
func (w *world) roleOf(t *testing.T, token, name string) (id string, rights []string) {
	t.Helper()
	const roles = "/cloudapi/1.0.0/roles"
	found, _ := w.Client.Get(t, "west", roles+"?filter=name=="+url.QueryEscape(name), sitetest.Bearer(token)).Want(t, http.StatusOK).JSON(t)["values"].([]any)
	if len(found) == 0 {
		return "", nil
	}
	id, _ = found[0].(map[string]any)["id"].(string)
	values, _ := w.Client.Get(t, "west", roles+"/"+id+"/rights?pageSize=128", sitetest.Bearer(token)).Want(t, http.StatusOK).JSON(t)["values"].([]any)
	for _, v := range values {
		rights = append(rights, v.(map[string]any)["name"].(string))
	}
	slices.Sort(rights)
	return id[strings.LastIndexByte(id, ':')+1:], rights
}

// makeRole makes a role of acme by the API.
func (w *world) makeRole(t *testing.T, token, name string, rights ...tenants.Right) (id string) {
	t.Helper()
	role := w.Client.Post(t, "west", "/cloudapi/1.0.0/roles", sitetest.Bearer(token), map[string]string{"name": name}).Want(t, http.StatusCreated).String(t, "id")
	var refs []map[string]string
	for _, r := range rights {
		refs = append(refs, map[string]string{"id": "urn:vcloud:right:" + rightID(t, r)})
	}
	w.Client.Post(t, "west", "/cloudapi/1.0.0/roles/"+role+"/rights", sitetest.Bearer(token), map[string]any{"values": refs}).Want(t, http.StatusOK)
	return strings.TrimPrefix(role, "urn:vcloud:role:")
}

// makeUser makes a user of acme by the API, and is who logs in.
func (w *world) makeUser(t *testing.T, token, name, role string) portalOf {
	t.Helper()
	w.Client.Post(t, "west", "/cloudapi/1.0.0/users", sitetest.Bearer(token), map[string]any{
		"username": name, "password": peoplesSpell, "roleEntityRefs": []map[string]string{{"id": "urn:vcloud:role:" + role}},
	}).Want(t, http.StatusCreated)
	p := w.Acme
	p.Admin.User, p.Admin.Password = name, peoplesSpell
	return p
}

// menu is what somebody can open.
func menu(tab *browsertest.Tab) (entries []string) {
	tab.Eval(`[...document.querySelectorAll('nav.menu li a')].map(a => a.textContent.trim())`, &entries)
	return entries
}

// TestRoles_R7_FromTheTreeToItsEnd makes a role in the tree, gives it to a user who
// sees what it opens, takes rights away again, and deletes it.
func TestRoles_R7_FromTheTreeToItsEnd(t *testing.T) {
	w := start(t)
	token := w.Client.Login(t, "west", "acme")
	admin := w.Acme.enter(t, browsertest.Look{})
	admin.Follow("Roles")
	admin.Sees("Organization Administrator", "Global role")
	admin.Follow("New role")
	admin.Fill("Name", "Registrar")
	admin.Fill("Filter the rights", "group manage")
	var shown []string
	admin.Eval(`[...document.querySelectorAll('#rights [data-text]')].filter(e => e.checkVisibility()).map(e => e.querySelector('.name').textContent)`, &shown)
	if !slices.Equal(shown, []string{string(tenants.RightUserManage)}) {
		t.Errorf("the filter shows %q", shown)
	}
	admin.Tick(string(tenants.RightUserManage))
	admin.Sees("Ticked along: Group / User: View")
	admin.Fill("Filter the rights", "")
	if !admin.Ticked(string(tenants.RightUserView)) {
		t.Error("what the right needs is not ticked along")
	}
	admin.Press("Look at what changes")
	admin.Sees("2 rights are added", "Group / User: Manage", "Group / User: View", "Nobody holds the role yet")
	if id, _ := w.roleOf(t, token, "Registrar"); id != "" {
		t.Error("looking at what changes made the role")
	}
	admin.Press("Create the role")
	admin.Sees("The role is created.", "0 users and 0 service accounts")
	id, rights := w.roleOf(t, token, "Registrar")
	if !slices.Equal(rights, []string{"Group / User: Manage", "Group / User: View"}) {
		t.Errorf("the API tells of %q", rights)
	}

	admin.Follow("Users")
	admin.Follow("New user")
	admin.Fill("User name", "Lara")
	admin.Tick("Registrar")
	admin.Fill("Password", "short")
	admin.Press("Create the user")
	if admin.Status() != http.StatusBadRequest || admin.Value("User name") != "Lara" || admin.Value("Password") != "" {
		t.Errorf("a short password: %d, %s", admin.Status(), admin.Text("main"))
	}
	admin.Fill("Password", peoplesSpell)
	admin.Press("Create the user")
	admin.Sees("The user is created.", "lara", "The role allows 2 things")

	who := w.Acme
	who.Admin.User, who.Admin.Password = "lara", peoplesSpell
	lara := who.enter(t, browsertest.Look{})
	if got := menu(lara); !slices.Contains(got, "Users") || slices.Contains(got, "Roles") || slices.Contains(got, "Rights") {
		t.Errorf("she can open %q", got)
	}
	lara.Go(w.Acme.URL + peoplePath + "/roles")
	if lara.Status() != http.StatusForbidden {
		t.Errorf("roles are shown to her: %d", lara.Status())
	}

	admin.Go(w.Acme.URL + peoplePath + "/roles/" + id + "/edit")
	admin.Tick(string(tenants.RightUserManage))
	admin.Press("Look at what changes")
	admin.Sees("1 right is removed", "1 right stays.", "1 user and 0 service accounts hold it", "nobody is logged out")
	admin.Press("Save the changes")
	admin.Sees("The role is saved.")
	lara.Go(w.Acme.URL + peoplePath + "/users")
	lara.SeesNot("New user")
	lara.Go(w.Acme.URL + peoplePath + "/users/new")
	if lara.Status() != http.StatusForbidden {
		t.Errorf("what was withdrawn still works: %d", lara.Status())
	}

	admin.Go(w.Acme.URL + peoplePath + "/roles/" + id + "/edit")
	admin.Tick(string(tenants.RightUserView))
	admin.Press("Look at what changes")
	admin.Press("Save the changes")
	lara.Go(w.Acme.URL)
	lara.Sees("Your role opens nothing here but your own account.")
	lara.Go(w.Acme.URL + peoplePath + "/users")
	if lara.Status() != http.StatusForbidden {
		t.Errorf("with no right at all she sees users: %d", lara.Status())
	}

	admin.Follow("Delete")
	admin.Sees("1 user and 0 service accounts hold it. Give them another role first")
	admin.Press("Delete the role")
	if admin.Status() != http.StatusConflict {
		t.Errorf("a role that is held: %d, %s", admin.Status(), admin.Text("main"))
	}
	if still, _ := w.roleOf(t, token, "Registrar"); still != id {
		t.Error("the role is gone")
	}
	most, _ := w.roleOf(t, token, tenants.OrganizationAdministrator)
	admin.Go(w.Acme.URL + peoplePath + "/roles/" + id + "/compare?with=" + most)
	admin.Sees("Only “Organization Administrator” has these")
	admin.SeesNot("Only “Registrar”")
}

// TestRoles_MadeWithoutScript makes a role where no script ticks anything along.
func TestRoles_MadeWithoutScript(t *testing.T) {
	w := start(t)
	token := w.Client.Login(t, "west", "acme")
	tab := w.Acme.enter(t, browsertest.Look{NoScript: true, Width: 360})
	tab.Go(w.Acme.URL + peoplePath + "/roles/new")
	tab.Fill("Name", "Plain")
	tab.Click("#rights li:nth-child(3) summary")
	tab.Tick(string(tenants.RightUserManage))
	tab.Press("Look at what changes")
	tab.Sees("2 rights are added", "Added because other rights need them", "needed by Group / User: Manage")
	if tab.Overflows() {
		t.Error("the page is wider than a phone")
	}
	tab.Press("Back to the rights")
	if tab.Value("Name") != "Plain" || !tab.Ticked(string(tenants.RightUserManage)) || !tab.Ticked(string(tenants.RightUserView)) {
		t.Error("going back loses what was chosen")
	}
	tab.Press("Look at what changes")
	tab.Press("Create the role")
	if _, rights := w.roleOf(t, token, "Plain"); len(rights) != 2 {
		t.Errorf("the role has %q", rights)
	}
	tab.Follow("Copy")
	if tab.Value("Name") != "Plain (copy)" {
		t.Errorf("the copy is called %q", tab.Value("Name"))
	}
	tab.Press("Look at what changes")
	tab.Press("Create the role")
	if _, rights := w.roleOf(t, token, "Plain (copy)"); len(rights) != 2 {
		t.Errorf("the copy has %q", rights)
	}
}

// TestRoles_ByKeyboard ticks a right with keys alone.
func TestRoles_ByKeyboard(t *testing.T) {
	w := start(t)
	token := w.Client.Login(t, "west", "acme")
	tab := w.Acme.enter(t, browsertest.Look{})
	tab.Go(w.Acme.URL + peoplePath + "/roles/new")
	tab.Eval(`document.getElementById('f-name').focus()`, nil)
	tab.Keys("Keys alone")
	tab.Keys(kb.Tab + kb.Tab) // past the description, to the filter
	tab.Keys("trail")
	tab.Keys(kb.Tab + kb.Tab) // past the category, to its one right
	tab.Keys(" ")
	var focus string
	tab.Eval(`document.activeElement.closest('label')?.querySelector('.name')?.textContent ?? document.activeElement.outerHTML`, &focus)
	if focus != string(tenants.RightAuditView) || !tab.Ticked(focus) {
		t.Fatalf("the focus is on %s", focus)
	}
	tab.Enter()
	tab.Sees("1 right is added", string(tenants.RightAuditView))
	tab.Eval(`document.querySelector('button[value=save]').focus()`, nil)
	tab.Enter()
	if _, rights := w.roleOf(t, token, "Keys alone"); !slices.Equal(rights, []string{string(tenants.RightAuditView)}) {
		t.Errorf("the role has %q", rights)
	}
}

// TestRoles_R7_ForgedForms: whoever may make roles gives nothing away that they lack
// or that the organization cannot have, whatever form they send.
func TestRoles_R7_ForgedForms(t *testing.T) {
	w := start(t)
	token := w.Client.Login(t, "west", "acme")
	own := []tenants.Right{tenants.RightRoleView, tenants.RightRoleManage, tenants.RightUserView, tenants.RightUserManage}
	deputyRole := w.makeRole(t, token, "Deputy", own...)
	small, big := w.makeRole(t, token, "Small", tenants.RightUserView), w.makeRole(t, token, "Big", tenants.RightAuditView)
	deputy := w.makeUser(t, token, "deputy", deputyRole)
	boss := w.makeUser(t, token, "boss", big)

	tab := deputy.enter(t, browsertest.Look{})
	tab.Go(w.Acme.URL + peoplePath + "/roles/new")
	var disabled bool
	tab.Eval(`document.querySelector('input[value="`+rightID(t, tenants.RightAuditView)+`"]').disabled`, &disabled)
	if !disabled {
		t.Error("a right that the deputy lacks can be ticked")
	}
	tab.Go(w.Acme.URL + peoplePath + "/roles/" + big)
	tab.Sees("You cannot change this: it allows “" + string(tenants.RightAuditView) + "”")
	tab.Go(w.Acme.URL + peoplePath + "/roles/" + small + "/edit")
	var seen string
	tab.Eval(`document.querySelector('input[name=seen]').value`, &seen)

	session, roles, users := w.session(t, deputy), w.Acme.URL+peoplePath+"/roles/", w.Acme.URL+peoplePath+"/users/"
	for name, forged := range map[string]struct {
		at     string
		form   url.Values
		status int
	}{
		"a role with a right that the deputy lacks": {roles + "new", url.Values{"name": {"Forged"}, "step": {"save"}, "right": {rightID(t, tenants.RightUserView), rightID(t, tenants.RightAuditView)}}, http.StatusForbidden},
		"a role with the provider's right":          {roles + "new", url.Values{"name": {"Forged"}, "step": {"save"}, "right": {rightID(t, tenants.RightSiteManage)}}, http.StatusBadRequest},
		"a role with a right that is none":          {roles + "new", url.Values{"name": {"Forged"}, "step": {"save"}, "right": {"Site: Manage"}}, http.StatusBadRequest},
		"a role given more than the deputy has":     {roles + small + "/edit", url.Values{"name": {"Small"}, "seen": {seen}, "step": {"save"}, "right": {rightID(t, tenants.RightAuditView)}}, http.StatusForbidden},
		"a role that goes further":                  {roles + big + "/edit", url.Values{"name": {"Big"}, "step": {"save"}}, http.StatusForbidden},
		"deleting a role that goes further":         {roles + big + "/delete", nil, http.StatusForbidden},
		"a user with such a role":                   {users + "new", url.Values{"name": {"forged"}, "role": {big}, "password": {peoplesSpell}}, http.StatusForbidden},
		"oneself with such a role":                  {users + w.userOf(t, token, "deputy") + "/edit", url.Values{"role": {big}}, http.StatusForbidden},
		"the password of who may do more":           {users + w.userOf(t, token, "boss") + "/edit", url.Values{"password": {"another password"}}, http.StatusForbidden},
		"disabling who may do more":                 {users + w.userOf(t, token, "boss") + "/disable", nil, http.StatusForbidden},
		"deleting who may do more":                  {users + w.userOf(t, token, "boss") + "/delete", nil, http.StatusForbidden},
	} {
		if got := w.send(t, http.MethodPost, forged.at, session, forged.form); got.Status != forged.status {
			t.Errorf("%s: %d, want %d", name, got.Status, forged.status)
		}
	}
	if id, _ := w.roleOf(t, token, "Forged"); id != "" {
		t.Error("a forged role was made")
	}
	if _, rights := w.roleOf(t, token, "Small"); !slices.Equal(rights, []string{string(tenants.RightUserView)}) {
		t.Errorf("the small role has %q", rights)
	}
	if _, rights := w.roleOf(t, token, "Big"); !slices.Equal(rights, []string{string(tenants.RightAuditView)}) {
		t.Errorf("the big role has %q", rights)
	}
	boss.enter(t, browsertest.Look{}) // nobody took the account over
	// What somebody else changed meanwhile is looked at once more.
	w.Client.Post(t, "west", "/cloudapi/1.0.0/roles/urn:vcloud:role:"+small+"/rights", sitetest.Bearer(token),
		map[string]any{"values": []map[string]string{{"id": "urn:vcloud:right:" + rightID(t, tenants.RightRoleView)}}}).Want(t, http.StatusOK)
	got := w.send(t, http.MethodPost, roles+small+"/edit", session, url.Values{"name": {"Small"}, "seen": {seen}, "step": {"save"}})
	if got.Status != http.StatusConflict && got.Status != http.StatusBadRequest || !strings.Contains(string(got.Body), "changed this meanwhile") {
		t.Errorf("a stale form: %d\n%s", got.Status, got.Body)
	}
	if _, rights := w.roleOf(t, token, "Small"); len(rights) != 2 {
		t.Errorf("a stale form was saved: %q", rights)
	}
}

// userOf is the identifier of a user of acme.
func (w *world) userOf(t *testing.T, token, name string) string {
	t.Helper()
	found, _ := w.Client.Get(t, "west", "/cloudapi/1.0.0/users?filter=username=="+name, sitetest.Bearer(token)).Want(t, http.StatusOK).JSON(t)["values"].([]any)
	if len(found) != 1 {
		t.Fatalf("%d users named %s", len(found), name)
	}
	id, _ := found[0].(map[string]any)["id"].(string)
	return strings.TrimPrefix(id, "urn:vcloud:user:")
}
