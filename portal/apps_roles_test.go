package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/sitetest"
)

// rolesOf is what the API says that an app holds.
func (w appsWorld) rolesOf(t *testing.T, app sitetest.App) string {
	t.Helper()
	return string(w.m.Ask(t, "GET", "/clients/"+app.ID+"/roles", nil).Want(t, http.StatusOK).Body)
}

// rolesChanged changes what an app may do: first the difference is shown, and only
// then it counts.
func (w appsWorld) rolesChanged(t *testing.T) {
	app := w.m.NewApp(t, "displayName", "Changing")
	w.m.Add(t, app.ID, "aoa:metrics", "aoa:metrics@"+w.in.ID, "aoa:events")
	tab := w.Acme.enter(t, browsertest.Look{})
	tab.Go(w.apps("/" + app.ID))
	tab.Follow("Change roles")
	unfold(tab)
	tab.Click(everywhere("aoa:metrics"))
	tab.Click(w.onInstance("aoa:alerts"))
	before := w.rolesOf(t, app)
	tab.Press("Next, look it over")
	tab.Sees("New roles", "Alerts", "Roles that end", "Metrics", "in every instance")
	tab.SeesNot("Events")
	if w.rolesOf(t, app) != before {
		t.Fatal("looking it over changed the roles")
	}
	tab.Press("Change the roles")
	tab.Sees("The roles are changed.")
	after := w.rolesOf(t, app)
	for _, want := range []string{`"name":"aoa:events","resource":null`, `"name":"aoa:metrics","resource":"` + w.in.ID + `"`, `"name":"aoa:alerts","resource":"` + w.in.ID + `"`} {
		if !strings.Contains(after, want) {
			t.Errorf("%s lacks %s", after, want)
		}
	}
	if strings.Contains(after, `"name":"aoa:metrics","resource":null`) {
		t.Errorf("metrics everywhere was not taken: %s", after)
	}
}

// shared adds an app of acme to the provider's organization and to one at another
// site, and takes it out again.
func (w appsWorld) shared(t *testing.T) {
	app := w.m.NewApp(t, "displayName", "Shared")
	tab := w.Provider.enter(t, browsertest.Look{})
	add := func(base, client string) {
		t.Helper()
		tab.Go(base + "/applications/access/add")
		nothingTicked(t, tab)
		tab.Fill("App ID", client)
		unfold(tab)
		tab.Click(everywhere("aoa:viewer"))
		tab.Press("Next, look it over")
		tab.Sees("New roles", "Viewer", client)
		tab.Press("Add the app")
		tab.Sees("The app is added, with these roles.")
	}
	add(w.Provider.URL, app.ID)
	tab.Sees("Shared", "acme")
	tab.Tick("Choose Shared")
	tab.Press("Take the chosen apps out…")
	tab.Sees("What this ends", "Shared ("+app.ID+") with its 1 role")
	tab.Press("Take 1 app out")
	tab.SeesNot(app.ID)

	add(w.Provider.URL, app.ID)
	tab.Go(w.Provider.URL + "/applications/access/add")
	tab.Fill("App ID", app.ID)
	tab.Press("Next, look it over")
	tab.Press("Add the app")
	tab.Sees("has been added to the organization already.", app.ID)

	east := w.File.Site("east")
	portal := portalOf{east.API + "/tenant/acme", east.Org("acme").Admin}
	tab = portal.enter(t, browsertest.Look{})
	add(portal.URL, app.ID+"@west")
	tab.Sees(app.ID+"@", "An organization at site")
}

// deleted deletes two apps of three.
func (w appsWorld) deleted(t *testing.T) {
	var made []sitetest.App
	for _, name := range []string{"Doomed one", "Doomed two", "Spared"} {
		app := w.m.NewApp(t, "displayName", name)
		w.m.Add(t, app.ID, "aoa:viewer")
		made = append(made, app)
	}
	tab := w.Acme.enter(t, browsertest.Look{})
	tab.Go(w.apps("?sort=-created"))
	nothingTicked(t, tab)
	tab.Tick("Choose Doomed one")
	tab.Tick("Choose Doomed two")
	tab.Press("Delete the chosen apps…")
	tab.Sees("Delete 2 apps?", made[0].ID, made[1].ID)
	w.wantExchange(t, made[0], http.StatusOK, "asking alone")
	tab.Press("Delete 2 apps")
	tab.Sees("Deleted.", "Spared")
	tab.SeesNot("Doomed")
	w.wantExchange(t, made[0], http.StatusUnauthorized, "one deleted")
	w.wantExchange(t, made[1], http.StatusUnauthorized, "two deleted")
	w.wantExchange(t, made[2], http.StatusOK, "the other")
}

// customRole makes one, gives it to an app, changes it and deletes it.
func (w appsWorld) customRole(t *testing.T) {
	tab := w.Acme.enter(t, browsertest.Look{})
	tab.Go(w.Acme.URL + "/applications/custom-roles")
	tab.Sees("There is no custom role yet.")
	tab.Follow("New custom role")
	tab.Fill("Name for programs", "not a name")
	tab.Fill("Name", "Watcher")
	unfold(tab)
	permission := `input[name=permission][value="external/` + sitetest.Operations + `/aoa:`
	tab.Click(permission + `events"]`)
	tab.Press("Make the role")
	tab.Sees("The name of a custom role has 2 to 30 characters")
	tab.Fill("Name for programs", "watcher")
	tab.Press("Make the role")
	tab.Sees("The custom role is made.", "Watcher", "No app does.")

	app := w.m.NewApp(t, "displayName", "Custom holder")
	w.m.Add(t, app.ID, "aoa:viewer", "custom:watcher")
	token := w.m.TokenOf(t, app)
	w.Client.Call(t, w.in, "POST /api/v2/event", token).Want(t, http.StatusAccepted)
	tab.Follow("Edit")
	tab.Click(permission + `events"]`)
	unfold(tab)
	tab.Click(permission + `alerts"]`)
	tab.Press("Save")
	tab.Sees("The custom role is saved", "Alerts", "Custom holder")
	tab.SeesNot("Events")
	w.Client.Call(t, w.in, "POST /api/v2/event", token).Want(t, http.StatusForbidden)

	tab.Follow("Delete…")
	tab.Sees("What it allows the app Custom holder")
	tab.Press("Delete the role")
	tab.Sees("The custom role is deleted")
	if held := w.rolesOf(t, app); strings.Contains(held, "watcher") {
		t.Errorf("the app still holds it: %s", held)
	}
}

// person gives a user a service role.
func (w appsWorld) person(t *testing.T) {
	tab := w.Acme.enter(t, browsertest.Look{})
	tab.Go(w.Acme.URL + "/applications/people")
	tab.Fill("Search by name or e-mail", w.Acme.Admin.User)
	tab.Press("Apply")
	tab.Follow(w.Acme.Admin.User)
	tab.Sees("What "+w.Acme.Admin.User+" may do in services", "None yet.", "Organization Owner")
	user := tab.URL()[strings.LastIndexByte(tab.URL(), '/')+1:]
	tab.Follow("Change roles")
	nothingTicked(t, tab)
	unfold(tab)
	tab.Click(w.onInstance("aoa:logs"))
	tab.Choose("The roles count", "for 7 days")
	tab.Press("Next, look it over")
	tab.Sees("Logs", "for 7 days")
	tab.Press("Change the roles")
	tab.Sees("The roles are changed.", "Logs", "until")
	held := string(w.m.Ask(t, "GET", "/users/"+user+"/roles", nil).Want(t, http.StatusOK).Body)
	if !strings.Contains(held, `"name":"aoa:logs","resource":"`+w.in.ID+`","expiresAt":1`) {
		t.Errorf("the user holds %s", held)
	}
}

// settings changes what an app is called and the most that it may be given.
func (w appsWorld) settings(t *testing.T) {
	app := w.m.NewApp(t, "displayName", "Before")
	w.m.Add(t, app.ID, "aoa:alerts")
	token := w.m.TokenOf(t, app)
	tab := w.Acme.enter(t, browsertest.Look{NoScript: true})
	tab.Go(w.apps("/" + app.ID))
	tab.Follow("Edit")
	tab.Fill("Name", "<b>not one</b>")
	tab.Press("Save")
	tab.Sees("displayName must be")
	if tab.Value("Name") != "<b>not one</b>" {
		t.Errorf("what was typed is lost: %q", tab.Value("Name"))
	}
	tab.Fill("Name", "After")
	tab.Choose("Each access token lives", "2 hours")
	tab.Press("Save")
	tab.Sees("The changes are saved.", "After", "2 hours")

	w.Client.Call(t, w.in, "GET /api/v2/alert", token).Want(t, http.StatusAccepted)
	tab.Follow("Change what it may be given")
	tab.Click(`input[name=role][value="s/` + sitetest.Operations + `/*/*"]`)
	tab.Press("Next, look it over")
	tab.Sees("Roles that end", "Any role of the service")
	tab.Press("Save")
	tab.Sees("What the app may be given is saved", "does nothing now")
	w.Client.Call(t, w.in, "GET /api/v2/alert", token).Want(t, http.StatusForbidden)
}
