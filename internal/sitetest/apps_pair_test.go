package sitetest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// An app of west at work in organizations of east that added it.
func TestAppsAcrossSites(t *testing.T) {
	Each(t, func(t *testing.T, p *Pair) {
		a := newAbroad(t, p)
		t.Run("CSP-36 R10 only where it was added, with what it was given there", a.onlyAdded)
		t.Run("CSP-36 R10 an organization that is not associated cannot add it", a.notAssociated)
		t.Run("R10 the same client id at two sites is two apps", a.twins)
		t.Run("CSP-36 CSP-18 the instance is told whose app it is", a.identity)
		t.Run("CSP-37 R4 east takes a role away, then the app", a.eastEnds)
		for name, end := range map[string]func(*testing.T, App){
			"regenerates the secret": func(t *testing.T, app App) {
				a.west.Ask(t, "PUT", "/oauth-apps/"+app.ID+"/secret", map[string]any{}).Want(t, 200)
			},
			"deletes the app":               func(t *testing.T, app App) { a.west.Ask(t, "DELETE", "/oauth-apps/"+app.ID, nil).Want(t, 204) },
			"removes the app":               func(t *testing.T, app App) { a.west.Remove(t, app.ID) },
			"ends a rotation of the secret": a.rotateAndEnd,
		} {
			t.Run("CSP-36 CSP-39 CSP-40 R4 west "+name, func(t *testing.T) { a.westEnds(t, end) })
		}
		t.Run("R4 streams end with the grant at east", a.eastEndsStream)
		t.Run("R7 an app of west manages nothing at east that its token is not for", a.managesNothing)
	})
}

// abroad are acme at west, whose apps are at work in acme at east.
type abroad struct {
	west *Manager
	*acme
	there []string // headers that lead to acme at east
}

func newAbroad(t *testing.T, p *Pair) *abroad {
	t.Helper()
	a := &abroad{west: p.Client.Manager(t, "west", "acme"), acme: &acme{
		p.Client.Manager(t, "east", "acme"), p.Client.NewInstance(t, "east", "acme", "observability", "onboarded"),
	}}
	a.there = []string{authContext, a.ID + "@" + bare(p.Client.Site("east").ID)}
	return a
}

// call calls the instance at east through west.
func (a *abroad) call(t *testing.T, call, token string) Answer {
	t.Helper()
	return a.CallAt(t, "west", a.in, call, Bearer(token, a.there...))
}

func (a *abroad) want(t *testing.T, token string, status int, calls ...string) (last Answer) {
	t.Helper()
	for _, call := range calls {
		a.in.Taken()
		last = a.call(t, call, token)
		if last.Status != status {
			t.Errorf("%s is %d, want %d\n%s", call, last.Status, status, last.Body)
		}
		if reached := len(a.in.Taken()) > 0; reached != (status == http.StatusAccepted) {
			t.Errorf("%s: reached the instance: %v", call, reached)
		}
	}
	return last
}

// atWest is how clients at east name an app of west.
func atWest(app App) string { return app.ID + "@west" }

func (a *abroad) onlyAdded(t *testing.T) {
	app, token := a.west.AppWith(t, "aoa:superAdmin", "org_owner")
	a.want(t, token, http.StatusForbidden, toDashboards) // whatever it is at west
	WantCSPError(t, a.Ask(t, "POST", "/clients", Addition(app.ID, "aoa:dashboards")), http.StatusNotFound)
	a.Add(t, atWest(app), "aoa:dashboards")
	a.want(t, token, http.StatusAccepted, toDashboards)
	a.want(t, token, http.StatusForbidden, toAlerts, toQuery)
	a.ChangeRoles(t, atWest(app), "rolesToAdd", "aoa:alerts")
	a.want(t, token, http.StatusAccepted, toAlerts)
	// The same token without the header is for west alone, and east takes none of west's.
	if got := a.CallAt(t, "west", a.in, toDashboards, Bearer(token)); got.Status != http.StatusNotFound {
		t.Errorf("without the header it is %d", got.Status)
	}
	a.refused(t, a.in, token, http.StatusUnauthorized, toDashboards)
	WantCSPError(t, a.Exchange(t, "east", app), http.StatusUnauthorized)
	// By its grants at west it has nothing more: nor less without them.
	a.west.ChangeRoles(t, app.ID, "rolesToRemove", "org_owner")
	a.want(t, token, http.StatusAccepted, toDashboards)
	a.want(t, token, http.StatusForbidden, toQuery)
}

func (a *abroad) notAssociated(t *testing.T) {
	app, token := a.west.AppWith(t, "aoa:dashboards")
	globex := a.Client.Manager(t, "east", "globex")
	WantCSPError(t, globex.Ask(t, "POST", "/clients", Addition(atWest(app), "aoa:dashboards")), http.StatusNotFound)
	in := a.NewInstance(t, "east", "globex", "globex-own", "onboarded")
	got := a.CallAt(t, "west", in, toDashboards, Bearer(token, authContext, globex.ID+"@"+bare(a.Client.Site("east").ID)))
	if got.Status != http.StatusForbidden && got.Status != http.StatusNotFound || len(in.Taken()) > 0 {
		t.Errorf("an organization that is not associated answers %d %s", got.Status, got.Body)
	}
	WantCSPError(t, a.Ask(t, "POST", "/clients", Addition(app.ID+"@nowhere", "aoa:dashboards")), http.StatusNotFound)
}

func (a *abroad) twins(t *testing.T) {
	ours := a.west.NewApp(t, "id", "same-name-of-both")
	a.west.Add(t, ours.ID, "aoa:viewer")
	theirs := a.NewApp(t, "id", "same-name-of-both")
	a.Add(t, theirs.ID, "aoa:dashboards")
	crossing, local := a.west.TokenOf(t, ours), a.TokenOf(t, theirs)
	a.want(t, crossing, http.StatusForbidden, toDashboards) // east's own was added, west's was not
	a.may(t, local, toDashboards)
	a.Add(t, atWest(ours), "aoa:alerts")
	a.want(t, crossing, http.StatusAccepted, toAlerts)
	a.want(t, crossing, http.StatusForbidden, toDashboards)
	a.mayNot(t, local, toAlerts)
	if wrong := a.Exchange(t, "east", App{theirs.ID, ours.Secret}); wrong.Status != http.StatusUnauthorized {
		t.Errorf("west's secret opens east's app: %d", wrong.Status)
	}
	a.Remove(t, theirs.ID)
	a.want(t, crossing, http.StatusAccepted, toAlerts)
	a.Add(t, theirs.ID, "aoa:dashboards")
	a.Remove(t, atWest(ours))
	a.may(t, a.TokenOf(t, theirs), toDashboards)
	a.want(t, crossing, http.StatusForbidden, toAlerts)
}

func (a *abroad) identity(t *testing.T) {
	app, token := a.west.AppWith(t, "aoa:viewer")
	a.Add(t, atWest(app), "aoa:dashboards")
	west := bare(a.Client.Site("west").ID)
	a.in.Taken()
	header := Bearer(token, append(a.there, "X-Causeway-Principal", "app:somebody", "X-Causeway-Permissions", "aoa:superAdmin")...)
	a.CallAt(t, "west", a.in, toDashboards, header).Want(t, http.StatusAccepted)
	h := a.in.Taken()[0].Header
	for name, want := range map[string]string{
		"X-Causeway-Principal": "app:" + app.ID, "X-Causeway-Via-Site": west, "X-Causeway-Permissions": "aoa:dashboards",
		"X-Causeway-Org": a.ID, "X-Causeway-Groups": "service-accounts", "Authorization": "",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	accounts := string(a.Ask(t, "GET", "/service-instances/"+a.in.ID+"/service-accounts?pageLimit=200", nil).Want(t, 200).Body)
	if !strings.Contains(accounts, `"clientId":"`+app.ID+`","siteId":"`+west+`"`) {
		t.Errorf("the accounts are %s", accounts)
	}
	if line := a.member(t, app.ID+"@"+west); !strings.Contains(line, "aoa:dashboards") {
		t.Errorf("the organization lists it as %q", line)
	}
}

func (a *abroad) eastEnds(t *testing.T) {
	app, token := a.west.AppWith(t, "aoa:viewer")
	a.Add(t, atWest(app), "aoa:dashboards", "aoa:viewer")
	a.want(t, token, http.StatusAccepted, toDashboards)
	a.ChangeRoles(t, atWest(app), "rolesToRemove", "aoa:dashboards")
	a.want(t, token, http.StatusForbidden, toDashboards)
	a.ChangeRoles(t, atWest(app), "rolesToAdd", "aoa:dashboards")
	a.want(t, token, http.StatusAccepted, toDashboards)
	a.Remove(t, atWest(app))
	a.want(t, token, http.StatusForbidden, toDashboards)
	a.west.Ask(t, "GET", "/clients", nil).Want(t, 200)
	a.Add(t, atWest(app), "aoa:dashboards") // which is not a new token's business at west
	a.want(t, token, http.StatusAccepted, toDashboards)
}

func (a *abroad) rotateAndEnd(t *testing.T, app App) {
	a.west.Ask(t, "POST", "/oauth-apps/"+app.ID+"/secret", map[string]any{"newClientSecret": strings.Repeat("Next~Secret-", 4)}).Want(t, 200)
	a.west.Ask(t, "DELETE", "/oauth-apps/"+app.ID+"/secret", nil).Want(t, 200)
}

func (a *abroad) westEnds(t *testing.T, end func(*testing.T, App)) {
	app, token := a.west.AppWith(t, "aoa:viewer")
	a.Add(t, atWest(app), "aoa:dashboards")
	a.want(t, token, http.StatusAccepted, toDashboards)
	s := a.openStream(t, token)
	end(t, app)
	a.want(t, token, http.StatusUnauthorized, toDashboards)
	s.endsWithin(t, revocationBound)
}

func (a *abroad) eastEndsStream(t *testing.T) {
	app, token := a.west.AppWith(t, "aoa:viewer")
	a.Add(t, atWest(app), "aoa:dashboards")
	s := a.openStream(t, token)
	a.ChangeRoles(t, atWest(app), "rolesToRemove", "aoa:dashboards")
	s.endsWithin(t, revocationBound)
}

// revocationBound is how soon connected sites follow (R4).
const revocationBound = 5 * time.Second

// stream is an exchange under way: its answer at the client, and its request at the
// instance.
type stream struct {
	read     chan error
	instance chan struct{}
}

// openStream has the instance send without an end, through west.
func (a *abroad) openStream(t *testing.T, token string) *stream {
	t.Helper()
	s := &stream{read: make(chan error, 1), instance: make(chan struct{})}
	a.in.Serve(func(w http.ResponseWriter, r *http.Request) {
		defer close(s.instance)
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		for {
			fmt.Fprint(w, "data: more\n\n")
			if http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-r.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() { a.in.Serve(nil) })
	r, err := http.NewRequest(http.MethodGet, a.Client.Site("west").API+a.in.Prefix+"/api/v2/dashboard", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = Bearer(token, a.there...)
	res, err := a.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if _, err := io.ReadFull(res.Body, make([]byte, 24)); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the stream begins with %d, %v", res.StatusCode, err)
	}
	a.in.Serve(nil) // for the others
	go func() {
		_, err := io.Copy(io.Discard, res.Body)
		s.read <- err
	}()
	return s
}

func (s *stream) endsWithin(t *testing.T, bound time.Duration) {
	t.Helper()
	timeout := time.After(bound)
	select {
	case err := <-s.read:
		if err == nil {
			t.Error("the stream looks whole")
		}
	case <-timeout:
		t.Fatal("the client is sent more")
	}
	select {
	case <-s.instance:
	case <-timeout:
		t.Fatal("the instance goes on")
	}
}

func (a *abroad) managesNothing(t *testing.T) {
	app, token := a.west.AppWith(t, "org_owner", "developer")
	a.Add(t, atWest(app), "org_member")
	other := a.NewApp(t)
	for _, call := range []string{"POST /oauth-apps", "GET /oauth-apps", "PUT /oauth-apps/" + other.ID + "/secret", "DELETE /oauth-apps/" + other.ID, "POST /clients"} {
		method, path, _ := strings.Cut(call, " ")
		got := a.send(t, method, "west", CSP+"/orgs/"+a.ID+path, Bearer(token, a.there...), map[string]any{"displayName": "x", "description": "x", "grantTypes": []string{"client_credentials"}, "allowedScopes": map[string]any{}, "ids": []string{other.ID}})
		WantCSPError(t, got, http.StatusForbidden)
		own := a.west.As(t, token, method, path, nil) // and without the header at its own
		if own.Status == http.StatusForbidden {
			t.Errorf("%s of its own is %d %s", call, own.Status, own.Body)
		}
	}
	a.Exchange(t, "east", other).Want(t, http.StatusForbidden) // is there still
}
