package portal_test

import (
	"net/http"
	"testing"

	"causeway/internal/browsertest"
	"causeway/tenants"
)

// TestUsers_R4_R7_FromTheListToTheirEnd finds, changes, disables and deletes a user,
// whose sessions end with it.
func TestUsers_R4_R7_FromTheListToTheirEnd(t *testing.T) {
	w := start(t)
	token := w.Client.Login(t, "west", "acme")
	viewer := w.makeRole(t, token, "Viewer", tenants.RightUserView)
	w.makeRole(t, token, "Auditor", tenants.RightAuditView)
	lara := w.makeUser(t, token, "lara", viewer)
	w.makeUser(t, token, "zoe", viewer)
	admin, hers := w.Acme.enter(t, browsertest.Look{}), lara.enter(t, browsertest.Look{Width: 360, Dark: true})

	hers.Go(w.Acme.URL + peoplePath + "/users")
	hers.SeesNot("New user")
	if hers.Overflows() {
		t.Error("the list is wider than a phone")
	}
	admin.Follow("Users")
	admin.Fill("Search", "lar")
	admin.Press("Apply")
	admin.SeesNot("zoe")
	admin.Follow("lara")
	admin.Sees("Viewer", "The role allows 1 thing", "created the user")
	admin.Follow("Change")
	admin.Fill("Full name", `<i>Lara</i> "Croft"`)
	admin.Choose("Role", "Auditor")
	admin.Press("Save the changes")
	admin.Sees("The changes are saved.", `<i>Lara</i> "Croft"`, "Auditor", "changed the user")
	hers.Go(w.Acme.URL + peoplePath + "/users")
	if hers.Status() != http.StatusForbidden {
		t.Errorf("the former role still counts: %d", hers.Status())
	}

	admin.Follow("Disable")
	admin.Sees("Disable lara?", "1 open session")
	admin.Press("Disable")
	admin.Sees("The user is disabled", "Disabled")
	hers.Go(w.Acme.URL)
	if hers.Text("h1") != "Log in" {
		t.Errorf("her session goes on: %q", hers.Text("h1"))
	}
	admin.Follow("Enable")
	admin.Press("Enable")
	admin.Sees("The user can log in again.")
	hers.LogIn(lara.URL, "lara", peoplesSpell)

	admin.Follow("Take ownership")
	admin.Press("Take ownership")
	admin.Sees("What the user owned is yours.")
	admin.Follow("Delete")
	admin.Sees("Delete lara?", "1 open session", "0 API tokens")
	admin.Press("Delete")
	admin.Sees("The user is deleted.")
	admin.SeesNot("lara")
	hers.Go(w.Acme.URL)
	if hers.Text("h1") != "Log in" {
		t.Errorf("she is deleted, and sees %q", hers.Text("h1"))
	}
	admin.Follow("New user")
	admin.Fill("User name", "ldap-lea")
	admin.Choose("Role", "Auditor")
	admin.Press("Create the user")
	if admin.Status() != http.StatusBadRequest || admin.Text("#f-password-error") != "The user needs a password." {
		t.Errorf("no password: %d, %s", admin.Status(), admin.Text("main"))
	}
	admin.Choose("Who checks the password", "A directory (LDAP)")
	admin.Press("Create the user")
	admin.Sees("The user is created.", "Checked by LDAP. The user cannot log in here.")
	admin.Follow("Users")
	admin.Follow(w.Acme.Admin.User)
	admin.Sees("This is you.")
	admin.SeesNot("Disable")
}

// TestUsers_OwnPassword changes one's own password, which takes the current one and
// ends the other sessions.
func TestUsers_OwnPassword(t *testing.T) {
	w := start(t)
	token := w.Client.Login(t, "west", "acme")
	lara := w.makeUser(t, token, "lara", w.makeRole(t, token, "Nothing"))
	here, there := lara.enter(t, browsertest.Look{}), lara.enter(t, browsertest.Look{})
	here.Follow("Password")
	try := func(current, password, again string) {
		here.Fill("Current password", current)
		here.Fill("New password", password)
		here.Fill("New password again", again)
		here.Press("Change the password")
	}
	const another = "another spell 1002"
	for _, wrong := range []struct{ current, password, again, says string }{
		{peoplesSpell, another, another + "!", "The two new passwords are not the same."},
		{peoplesSpell, "short", "short", "A password has at least 8 characters."},
		{"not this one", another, another, "The current password is not right."},
	} {
		try(wrong.current, wrong.password, wrong.again)
		here.Sees(wrong.says)
		if here.Status() != http.StatusBadRequest || here.Value("New password") != "" {
			t.Errorf("%s: %d", wrong.says, here.Status())
		}
	}
	try(peoplesSpell, another, another)
	here.Sees("Your password is changed")
	there.Go(w.Acme.URL)
	if there.Text("h1") != "Log in" {
		t.Error("the other session goes on")
	}
	there.LogIn(lara.URL, "lara", another)
}
