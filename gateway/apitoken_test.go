package gateway_test

import (
	"net/url"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
)

// newAPIToken registers an API token of whoever holds an access token, and returns
// its client id.
func (w *world) newAPIToken(t *testing.T, site, org, access, name string) string {
	t.Helper()
	a := w.do(t, site, "POST", "/oauth/tenant/"+org+"/register", sitetest.Bearer(access, "Content-Type", "application/json"), `{"client_name":"`+name+`"}`)
	return a.Want(t, 201).String(t, "client_id")
}

// fetchAPIToken exchanges an access token for a registered API token.
func (w *world) fetchAPIToken(t *testing.T, site, org, access, id string) sitetest.Answer {
	t.Helper()
	return w.token(t, site, org, url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "client_id": {id}, "assertion": {access},
	}).Want(t, 200)
}

func (w *world) token(t *testing.T, site, org string, form url.Values) sitetest.Answer {
	t.Helper()
	header := map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}}
	return w.do(t, site, "POST", "/oauth/tenant/"+org+"/token", header, form.Encode())
}

// A peer would take an API token for its owner at a keyboard, so it does not
// cross, whatever the association says of people; and it is not told where it
// could go.
func TestAPIToken_R7_StaysAtItsSite(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		admin := w.c.Login(t, "west", "acme")
		id := w.newAPIToken(t, "west", "acme", admin, "ci")
		token := w.fetchAPIToken(t, "west", "acme", admin, id).String(t, "access_token")
		bot, _ := w.c.Account(t, "west", admin, "inventory-bot")
		machine, _ := w.c.Connect(t, "west", "acme", bot)
		const path = "/api/org"
		there := []string{httpapi.HeaderAuthContext, bare(w.c.Site("east").Org("acme").ID) + "@" + bare(w.c.Site("east").ID)}
		w.do(t, "west", "GET", path, sitetest.Bearer(machine, there...), "").Want(t, 200)
		w.do(t, "west", "GET", path, sitetest.Bearer(token), "").Want(t, 200)
		v := w.witness(t, "west", "east")
		a := w.do(t, "west", "GET", path, sitetest.Bearer(token, there...), "")
		wantRefusal(t, path, a, 403)
		if !strings.Contains(string(a.Body), "An API token acts at its own site only") {
			t.Errorf("the refusal is %s", a.Body)
		}
		v.unchanged(t)
		const locations = "/cloudapi/1.0.0/sessions/current/accessibleLocations"
		for who, want := range map[string]int{token: 1, admin: 3} {
			list := w.do(t, "west", "GET", locations, sitetest.Bearer(who), "").Want(t, 200).JSON(t)
			if got, _ := list["values"].([]any); len(got) != want {
				t.Errorf("%d locations, want %d: %v", len(got), want, got)
			}
		}
	})
}

// One and the same API token serves many hosts, and its end reaches all of them.
func TestAPIToken_R4_DeletionEndsEverySession(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		admin := w.c.Login(t, "west", "acme")
		id := w.newAPIToken(t, "west", "acme", admin, "ci")
		first := w.fetchAPIToken(t, "west", "acme", admin, id)
		refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.String(t, "refresh_token")}}
		hosts := []string{first.String(t, "access_token")}
		for range 2 {
			hosts = append(hosts, w.token(t, "west", "acme", refresh).Want(t, 200).String(t, "access_token"))
		}
		for _, host := range hosts {
			w.do(t, "west", "GET", "/api/org", sitetest.Bearer(host), "").Want(t, 200)
		}
		w.do(t, "west", "DELETE", "/cloudapi/1.0.0/tokens/urn:vcloud:token:"+id, sitetest.Bearer(admin), "").Want(t, 204)
		for _, host := range hosts {
			w.do(t, "west", "GET", "/api/org", sitetest.Bearer(host), "").Want(t, 401)
		}
		w.token(t, "west", "acme", refresh).Want(t, 400)
		w.do(t, "west", "GET", "/api/org", sitetest.Bearer(admin), "").Want(t, 200)
	})
}
