package portal_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/sitetest"
)

// appsWorld is a world with an instance of a service in acme.
type appsWorld struct {
	*world
	m  *sitetest.Manager
	in *sitetest.Instance
}

// TestApps is one site in which people do all that there is to do with apps.
func TestApps(t *testing.T) {
	w := start(t)
	a := appsWorld{w, w.Client.Manager(t, "west", "acme"), w.Client.NewInstance(t, "west", "acme", "observed", "onboarded")}
	for _, story := range []struct {
		name string
		tell func(appsWorld, *testing.T)
	}{
		{"CSP-25, CSP-26, CSP-32: an app for one instance is made in the portal", appsWorld.made},
		{"CSP-32: a form that is sent twice counts once", appsWorld.sentTwice},
		{"CSP-27: every role is warned about", appsWorld.everyRole},
		{"CSP-42: two secrets, then one", appsWorld.rotated},
		{"CSP-37: roles are changed", appsWorld.rolesChanged},
		{"CSP-38: apps are shared", appsWorld.shared},
		{"CSP-39: several are deleted", appsWorld.deleted},
		{"CSP-30: a custom role", appsWorld.customRole},
		{"roles of people", appsWorld.person},
		{"settings and bounds", appsWorld.settings},
		{"CSP-5: the pages that are everybody's are no app's", appsWorld.noPages},
		{"CSP-26: an instance beyond the first is searched for", appsWorld.searched},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(a, t) })
	}
}

func (w appsWorld) apps(path string) string { return w.Acme.URL + "/applications/apps" + path }

// onInstance and everywhere are the boxes of a role.
func (w appsWorld) onInstance(role string) string { return roleBox(w.in.ID, role) }

func everywhere(role string) string { return roleBox("*", role) }

func roleBox(instance, role string) string {
	return `input[name=role][value="s/` + sitetest.Operations + `/` + instance + `/` + role + `"]`
}

// unfold opens what holds the roles, as somebody does before ticking one.
func unfold(tab *browsertest.Tab) {
	tab.Eval(`document.querySelectorAll(".picker details").forEach(d => d.open = true)`, nil)
}

// draft fills the first steps of making an app, up to the review.
func (w appsWorld) draft(t *testing.T, tab *browsertest.Tab, name string, boxes ...string) {
	t.Helper()
	tab.Go(w.apps(""))
	tab.Follow("New app")
	tab.Fill("Name", name)
	nothingTicked(t, tab)
	tab.Press("Next, its roles")
	unfold(tab)
	nothingTicked(t, tab)
	for _, box := range boxes {
		tab.Click(box)
	}
	tab.Tick("Add it to acme now")
	tab.Press("Next, look it over")
}

func nothingTicked(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	var ticked []string
	tab.Eval(`[...document.querySelectorAll("input:checked")].map(i => i.name + "=" + i.value)`, &ticked)
	if len(ticked) > 0 {
		t.Fatalf("%s has chosen for the person: %v", tab.URL(), ticked)
	}
}

// shown is the app whose secret a page shows.
func shown(t *testing.T, tab *browsertest.Tab) sitetest.App {
	t.Helper()
	app := sitetest.App{ID: tab.Text("#app-id"), Secret: tab.Text("#app-secret")}
	if len(app.ID) < 5 || len(app.Secret) < 32 {
		t.Fatalf("no credentials are shown: %s", tab.Text("main"))
	}
	return app
}

func (w appsWorld) wantExchange(t *testing.T, app sitetest.App, status int, what string) {
	t.Helper()
	if a := w.m.Exchange(t, "west", app); a.Status != status {
		t.Errorf("%s: the exchange answers %d, want %d\n%s", what, a.Status, status, a.Body)
	}
}

// made makes an app for one instance, and has it
// call that instance with the credentials of the page.
func (w appsWorld) made(t *testing.T) {
	second := w.Client.NewInstance(t, "west", "acme", "second", "onboarded")
	tab := w.Acme.enter(t, browsertest.Look{})

	w.draft(t, tab, "Shipper", w.onInstance("aoa:alerts"))
	tab.Sees("Alerts", "in observed", "Shipper")
	tab.SeesNot("every role")
	tab.Press("Make the app")
	app := shown(t, tab)

	token := w.m.TokenOf(t, app)
	w.Client.Call(t, w.in, "GET /api/v2/alert", token).Want(t, http.StatusAccepted)
	w.Client.Call(t, w.in, "GET /api/v2/dashboard/x/history", token).Want(t, http.StatusForbidden)
	w.Client.Call(t, second, "GET /api/v2/alert", token).Want(t, http.StatusForbidden)

	// The secret is in this answer and nowhere else.
	if strings.Contains(tab.URL(), app.Secret) {
		t.Error("the secret is in the address")
	}
	if command := tab.Text("#app-call"); !strings.Contains(command, app.ID) || strings.Contains(command, app.Secret) {
		t.Errorf("the ready command is %q", command)
	}
	var file string
	tab.Eval(`document.getElementById("app-credentials").textContent`, &file)
	if !strings.Contains(file, `"clientSecret": "`+app.Secret+`"`) {
		t.Errorf("the file is %q", file)
	}
	tab.Follow("I have kept the secret")
	tab.Sees("Shipper", "Facts", "What happened")
	for _, path := range []string{"", "/" + app.ID, "/" + app.ID + "/edit", "/" + app.ID + "/regenerate", "/" + app.ID + "/rotate"} {
		tab.Go(w.apps(path))
		tab.Sees("Shipper")
		if source := sourceOf(tab); strings.Contains(source, app.Secret) {
			t.Errorf("%s has the secret", tab.URL())
		}
	}
}

func sourceOf(tab *browsertest.Tab) (html string) {
	tab.Eval(`document.documentElement.outerHTML`, &html)
	return html
}

// noPages looks at a page that every user has by default, as a user and with an app's
// token in the place of the session.
func (w appsWorld) noPages(t *testing.T) {
	tab := w.Acme.enter(t, browsertest.Look{})
	tab.Go(w.Acme.URL + "/multisite/explain")
	tab.Sees("Explain a route")
	_, token := w.m.AppWith(t, "org_owner")
	tab.Cookie(w.Acme.URL, cookieName, token)
	for _, path := range []string{"", "/multisite/explain", "/own/sessions"} {
		if tab.Go(w.Acme.URL + path); tab.Text("h1") != "Log in" {
			t.Errorf("an app sees %s: %s", path, tab.Text("h1"))
		}
	}
}

// searched gives a role in an instance that the page does not show at first; what was
// chosen before stays chosen.
func (w appsWorld) searched(t *testing.T) {
	system := sitetest.Bearer(w.Client.Login(t, "west", sitetest.System))
	last := ""
	for i := range 41 {
		name := fmt.Sprintf("z%02d", i)
		last = w.Client.Post(t, "west", "/cloudapi/causeway/1.0.0/serviceInstances", system, map[string]any{
			"orgId": w.West.Org("acme").ID, "serviceDefinitionId": sitetest.Operations, "name": name, "mode": "onboarded",
			"prefix": "/" + name, "enabled": true, "upstreams": []string{"http://127.0.0.1:9/"},
		}).Want(t, http.StatusCreated).String(t, "id")
	}
	last = last[strings.LastIndexByte(last, ':')+1:]
	app := w.m.NewApp(t, "displayName", "Far")
	tab := w.Acme.enter(t, browsertest.Look{})
	tab.Go(w.Acme.URL + "/applications/access/add?client=" + app.ID)
	tab.Sees("more service instances are not shown")
	unfold(tab)
	tab.Click(w.onInstance("aoa:alerts"))
	tab.Fill("Service instances by name", "z40")
	tab.Press("Search")
	unfold(tab)
	tab.SeesNot("more service instances", "z39")
	tab.Click(roleBox(last, "aoa:events"))
	tab.Press("Next, look it over")
	tab.Sees("Alerts", "in observed", "Events", "in z40", app.ID)
	tab.Press("Add the app")
	tab.Sees("The app is added, with these roles.")
	for _, want := range []string{`"name":"aoa:events","resource":"` + last, `"name":"aoa:alerts","resource":"` + w.in.ID} {
		if roles := w.rolesOf(t, app); !strings.Contains(roles, want) {
			t.Errorf("%s lacks %s", roles, want)
		}
	}
	tab.Go(w.Acme.URL + "/applications/access/" + app.ID)
	tab.Sees("in z40")
}

// sentTwice: loads the page with a secret anew sends its form
// again. That makes no second app, ends no secret, and shows none.
func (w appsWorld) sentTwice(t *testing.T) {
	tab := w.Acme.enter(t, browsertest.Look{})
	again := func() {
		t.Helper()
		tab.Reload()
		tab.Sees("This was done already")
		if tab.Status() != http.StatusConflict || strings.Contains(sourceOf(tab), "app-secret") {
			t.Errorf("sent again, the form answers %d: %s", tab.Status(), tab.Text("main"))
		}
	}
	w.draft(t, tab, "Twice", w.onInstance("aoa:metrics"))
	tab.Press("Make the app")
	app := shown(t, tab)
	again()
	if n := strings.Count(string(w.m.Ask(t, "GET", "/oauth-apps", nil).Want(t, 200).Body), `"Twice"`); n != 1 {
		t.Fatalf("there are %d apps", n)
	}
	w.wantExchange(t, app, http.StatusOK, "the secret that was shown")

	tab.Go(w.apps("/" + app.ID + "/regenerate"))
	tab.Press("Regenerate the secret")
	fresh := shown(t, tab)
	again()
	w.wantExchange(t, app, http.StatusUnauthorized, "the secret before")
	w.wantExchange(t, fresh, http.StatusOK, "the secret after")

	tab.Go(w.apps("/" + app.ID + "/rotate"))
	tab.Press("Make the new secret")
	rotated := shown(t, tab)
	again()
	w.wantExchange(t, rotated, http.StatusOK, "the rotated secret")
	w.wantExchange(t, fresh, http.StatusOK, "the secret before, in the overlap")
}

// everyRole gives an app all roles of a service: that is warned about
// before, and noted after. Nothing is chosen for anybody on any page.
func (w appsWorld) everyRole(t *testing.T) {
	tab := w.Acme.enter(t, browsertest.Look{})
	var roles []string
	tab.Go(w.apps("/new"))
	tab.Fill("Name", "Everything")
	tab.Press("Next, its roles")
	tab.Eval(`[...document.querySelectorAll("input[name=role]")].map(i => i.value).filter(v => v.includes("/`+w.in.ID+`/")).map(v => v.split("/")[3])`, &roles)
	if len(roles) < 16 {
		t.Fatalf("the instance offers %v", roles)
	}
	boxes := make([]string, len(roles))
	for i, r := range roles {
		boxes[i] = w.onInstance(r)
	}
	const warning = "This gives every role of Operations for Applications."
	w.draft(t, tab, "Nearly", boxes[1:]...)
	tab.SeesNot(warning)
	w.draft(t, tab, "Everything", boxes...)
	tab.Sees(warning)
	tab.Press("Make the app")
	app := shown(t, tab)
	trail := w.m.Get(t, "west", "/cloudapi/1.0.0/auditTrail?pageSize=25&sortDesc=timestamp", sitetest.Bearer(w.m.Token)).Want(t, 200)
	if !strings.Contains(string(trail.Body), "Every role of Operations for Applications is assigned.") {
		t.Errorf("the audit trail has no warning:\n%s", trail.Body)
	}
	tab.Go(w.apps("/" + app.ID))
	tab.Sees("Every role of Operations for Applications is assigned.")
	for _, path := range []string{"/applications/access/add", "/applications/custom-roles/new"} {
		tab.Go(w.Acme.URL + path)
		nothingTicked(t, tab)
	}
}

// rotated rotates a secret as the pages advise: both work, until the
// old one is ended. Regenerating leaves none of the old.
func (w appsWorld) rotated(t *testing.T) {
	old := w.m.NewApp(t)
	w.m.Add(t, old.ID, "aoa:metrics")
	tab := w.Acme.enter(t, browsertest.Look{})
	tab.Go(w.apps("/" + old.ID))
	tab.Follow("Rotate the secret")
	tab.Sees("Update every program and script that uses the app.")
	tab.Choose("The old secret works on for", "7 days")
	tab.Press("Make the new secret")
	tab.Sees("Put the new secret into every program and script")
	fresh := shown(t, tab)
	w.wantExchange(t, fresh, http.StatusOK, "the new secret, at once")
	w.wantExchange(t, old, http.StatusOK, "the old one, in the overlap")
	token := w.m.TokenOf(t, old)

	tab.Follow("I have kept the secret")
	tab.Sees("Two secrets work")
	tab.Follow("End the old secret now")
	tab.Sees("Make sure that every program and script has the new secret.")
	tab.Press("End the old secret")
	tab.Sees("Only the new one works.")
	w.wantExchange(t, old, http.StatusUnauthorized, "the old one, ended")
	w.Client.Call(t, w.in, "GET /api/v2/chart/api", token).Want(t, http.StatusUnauthorized)
	w.wantExchange(t, fresh, http.StatusOK, "the new one, after")

	tab.Follow("Regenerate…")
	tab.Sees("They fail from this moment until they have the new secret", "rotate it instead")
	tab.Press("Regenerate the secret")
	last := shown(t, tab)
	w.wantExchange(t, fresh, http.StatusUnauthorized, "the regenerated-away one")
	w.wantExchange(t, last, http.StatusOK, "the regenerated one")
}
