package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"causeway/internal/dev"
	"causeway/internal/httpapi"
	"causeway/internal/refusal"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// refusalOf is what a site shows of a refused request to its provider.
func (w *world) refusalOf(t *testing.T, site, provider string, a sitetest.Answer) (refusal.Shown, bool) {
	t.Helper()
	return w.refusalAs(t, site, sitetest.Bearer(provider), a.Header.Get(httpapi.HeaderRequestID))
}

func (w *world) refusalAs(t *testing.T, site string, header http.Header, id string) (shown refusal.Shown, ok bool) {
	t.Helper()
	a := w.do(t, site, "GET", httpapi.OwnAPI+"/refusals/"+id, header, "")
	if a.Status != http.StatusOK {
		return shown, false
	}
	if err := json.Unmarshal(a.Body, &shown); err != nil {
		t.Fatalf("%v\n%s", err, a.Body)
	}
	return shown, true
}

// Every kind of refusal leaves a row that says what decided, in the audit trail
// of the organization that it is about.
func TestRefusals_R7_SayWhatDecided(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.c
		provider, admin := c.Login(t, "west", "System"), c.Login(t, "west", "acme")
		id, _ := c.Account(t, "west", admin, "inventory-bot")
		access, first := c.Connect(t, "west", "acme", id)
		second := c.Refresh(t, "west", "acme", first).Want(t, 200).String(t, "refresh_token")
		c.Refresh(t, "west", "acme", second).Want(t, 200)
		denied := c.Ask(t, "west", "acme", id).Want(t, 200)
		c.Decide(t, "west", admin, "/deny", denied.String(t, "user_code")).Want(t, 204)
		wrong, _ := http.NewRequest("POST", "/", nil)
		wrong.SetBasicAuth("acme-admin@acme", "wrong password")
		door, _ := http.NewRequest("POST", "/", nil)
		door.SetBasicAuth("acme-admin@acme", c.Site("west").Org("acme").Admin.Password)

		for _, tt := range []struct {
			name   string
			answer sitetest.Answer
			org    string
			actor  string
			code   string
			facts  map[string]string
		}{
			{"a right is missing", w.do(t, "west", "GET", "/sample/audit", sitetest.Bearer(access), ""), "acme", "inventory-bot", "forbidden",
				map[string]string{"reason": "role", "rights": "Catalog: View ACL", "role": "Inventory Operator", "roleOrganization": "acme"}},
			{"a machine", w.do(t, "west", "GET", "/cloudapi/1.0.0/tokens", sitetest.Bearer(access), ""), "acme", "inventory-bot", "forbidden",
				map[string]string{"role": "Inventory Operator"}},
			{"an organization that is not available", w.do(t, "west", "GET", "/api/org", sitetest.Bearer(admin, httpapi.HeaderAuthContext, "globex"), ""), "acme", "acme-admin", "forbidden",
				map[string]string{"reason": "notAssociated", "askedOrganization": "globex"}},
			{"a token that is none", w.do(t, "west", "GET", "/api/org", sitetest.Bearer("a.b.c"), ""), "System", "", "unauthenticated", nil},
			{"a wrong password", w.do(t, "west", "POST", "/cloudapi/1.0.0/sessions", wrong.Header, ""), "acme", "", "unauthenticated",
				map[string]string{"reason": "password"}},
			{"the provider's door", w.do(t, "west", "POST", "/cloudapi/1.0.0/sessions/provider", door.Header, ""), "acme", "", "unauthenticated",
				map[string]string{"reason": "otherLoginAddress"}},
			{"a denied device request", c.Poll(t, "west", "acme", id, denied.String(t, "device_code")), "acme", "", "access_denied",
				map[string]string{"account": id, "deviceState": "denied"}},
			{"an unknown client", c.Ask(t, "west", "acme", nobody), "acme", "", "invalid_client", map[string]string{"reason": "unknown"}},
			{"a client id that is none", c.Ask(t, "west", "acme", "inventory-bot"), "acme", "", "invalid_client", nil},
			{"a grant that there is not", c.Form(t, "west", "acme", "token", "grant_type", "password"), "acme", "", "unsupported_grant_type", nil},
			{"an unknown realm", c.Ask(t, "west", "nowhere", id), "System", "", "invalid_client", map[string]string{"reason": "noSuchOrganization"}},
			{"an unknown token", c.Refresh(t, "west", "acme", "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ"), "acme", "", "invalid_grant", map[string]string{"reason": "unknown"}},
			{"another organization's token", c.Refresh(t, "west", "System", second), "System", "", "invalid_grant",
				map[string]string{"reason": "otherOrganization", "provider.account": id}},
			{"another client's token", c.Form(t, "west", "acme", "token", "grant_type", "refresh_token", "refresh_token", second, "client_id", nobody), "acme", "", "invalid_grant",
				map[string]string{"reason": "otherClient", "account": id, "generation": "1", "liveGeneration": "2"}},
			{"a replay", c.Refresh(t, "west", "acme", first), "acme", "", "replayed",
				map[string]string{"reason": "replayed", "account": id, "generation": "0", "liveGeneration": "2"}},
			{"a revoked token", c.Refresh(t, "west", "acme", second), "acme", "", "invalid_grant",
				map[string]string{"reason": "revoked", "account": id, "generation": "1"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				var shown refusal.Shown
				sitetest.Eventually(t, 5*time.Second, "it is kept", func() (ok bool) {
					shown, ok = w.refusalOf(t, "west", provider, tt.answer)
					return ok
				})
				if shown.Code != tt.code || shown.Status != tt.answer.Status || shown.Organization.Name != tt.org || shown.Actor.Name != tt.actor {
					t.Errorf("%+v", shown)
				}
				for name, want := range tt.facts {
					if shown.Facts[name] != want {
						t.Errorf("%s is %q, want %q of %v", name, shown.Facts[name], want, shown.Facts)
					}
				}
				if shown.Address == "" || shown.Route == "" || shown.Method == "" {
					t.Errorf("from where, or what for: %+v", shown)
				}
			})
		}
	})
}

// Whoever reads a 403 that answers them in their own name finds it in the
// database: another connection sees it at once, and it is the answer that waits.
func TestRefusals_R7_DurableBeforeTheAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		admin := w.c.Login(t, "west", "acme")
		for range 20 {
			a := w.do(t, "west", "GET", "/cloudapi/1.0.0/rightsBundles", sitetest.Bearer(admin), "").Want(t, 403)
			id := a.Header.Get(httpapi.HeaderRequestID)
			rows := query(t, w.sql["west"], "SELECT actor_name, status FROM refusals WHERE request_id = '"+id+"'")
			if len(rows) != 1 || rows[0] != "|acme-admin|403" {
				t.Fatalf("rows %q", rows)
			}
		}
	})
}

// One organization never sees what was refused in another, by list, filter or
// identifier; the provider sees all.
func TestRefusals_R6_OfOneOrganization(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		provider, acme, globex := w.c.Login(t, "east", "System"), w.c.Login(t, "east", "acme"), w.c.Login(t, "east", "globex")
		refused := w.do(t, "east", "GET", "/cloudapi/1.0.0/rightsBundles", sitetest.Bearer(acme), "").Want(t, 403)
		id := refused.Header.Get(httpapi.HeaderRequestID)
		if shown, ok := w.refusalAs(t, "east", sitetest.Bearer(acme), id); !ok || shown.Actor.Name != w.c.Site("east").Org("acme").Admin.User {
			t.Errorf("the organization itself is shown %+v", shown)
		}
		if _, ok := w.refusalAs(t, "east", sitetest.Bearer(provider), id); !ok {
			t.Error("the provider does not see it")
		}
		if _, ok := w.refusalAs(t, "east", sitetest.Bearer(globex), id); ok {
			t.Error("another organization is shown it")
		}
		for _, q := range []string{"", "?filter=requestId==" + id, "?filter=status=gt=0", "?filter=actor==acme*,code==*", "?sortAsc=time"} {
			a := w.do(t, "east", "GET", httpapi.OwnAPI+"/refusals"+q, sitetest.Bearer(globex), "").Want(t, 200)
			if strings.Contains(string(a.Body), id) || strings.Contains(string(a.Body), "acme") {
				t.Errorf("%s shows another organization's: %s", q, a.Body)
			}
		}
		for q, want := range map[string]int{
			"?filter=requestId==" + id: 1, "?filter=code==forbidden;status==403": 1, "?filter=route==/nothing": 0,
			"?filter=" + url.QueryEscape("time=gt="+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)): 0,
		} {
			a := w.do(t, "east", "GET", httpapi.OwnAPI+"/refusals"+q, sitetest.Bearer(acme), "").Want(t, 200)
			if total, _ := a.JSON(t)["resultTotal"].(float64); int(total) != want {
				t.Errorf("%s finds %v, want %d: %s", q, total, want, a.Body)
			}
		}
		// A token of one organization at another's endpoint: whose it is only the
		// provider is told.
		client, _ := w.c.Account(t, "east", acme, "inventory-bot")
		_, token := w.c.ConnectAs(t, "east", "acme", acme, client)
		lost := w.c.Refresh(t, "east", "globex", token).Want(t, 400).Header.Get(httpapi.HeaderRequestID)
		sitetest.Eventually(t, 5*time.Second, "it is kept for globex", func() bool {
			shown, ok := w.refusalAs(t, "east", sitetest.Bearer(globex), lost)
			if text := fmt.Sprint(shown); ok && (shown.Facts["reason"] != "otherOrganization" || strings.Contains(text, client)) {
				t.Errorf("the tenant is shown %s", text)
			}
			return ok
		})
		if shown, _ := w.refusalAs(t, "east", sitetest.Bearer(provider), lost); shown.Facts["provider.account"] != client {
			t.Errorf("the provider is shown %+v", shown)
		}
		// Where the provider works from, and what is about others, is not a tenant's business.
		inAcme := sitetest.Bearer(provider, httpapi.HeaderTenantContext, bare(w.c.Site("east").Org("acme").ID))
		by := w.do(t, "east", "GET", "/cloudapi/1.0.0/serviceAccounts/"+nobody, inAcme, "").Want(t, 403).Header.Get(httpapi.HeaderRequestID)
		if shown, ok := w.refusalAs(t, "east", sitetest.Bearer(acme), by); !ok || shown.Address != "" {
			t.Errorf("the tenant is shown %+v", shown)
		}
		if shown, ok := w.refusalAs(t, "east", sitetest.Bearer(provider), by); !ok || shown.Address == "" {
			t.Errorf("the provider is shown %+v", shown)
		}
	})
}

// A refusal at another site is kept there with its reason, and here with where
// to ask.
func TestRefusals_R7_AtAnotherSite(t *testing.T) {
	w := start(t, storetest.SQLite)
	west, east := w.c.Login(t, "west", "System"), w.c.Login(t, "east", "System")
	id, _ := w.c.Account(t, "west", w.c.Login(t, "west", "acme"), "inventory-bot")
	access, _ := w.c.Connect(t, "west", "acme", id)
	there := sitetest.Bearer(access, httpapi.HeaderAuthContext, bare(w.c.Site("east").Org("acme").ID)+"@"+bare(w.c.Site("east").ID))
	a := w.do(t, "west", "POST", "/sample/reservations", there, "{}").Want(t, 403)
	var here refusal.Shown
	sitetest.Eventually(t, 5*time.Second, "it is kept here", func() (ok bool) {
		here, ok = w.refusalOf(t, "west", west, a)
		return ok
	})
	if here.Code != refusal.ByPeer || here.Facts["site"] != bare(w.c.Site("east").ID) || here.Actor.Name != "inventory-bot" {
		t.Errorf("here: %+v", here)
	}
	far, ok := w.refusalAs(t, "east", sitetest.Bearer(east), here.Facts["peerRequestId"])
	if !ok || far.Code != "forbidden" || far.Facts["role"] != "Inventory Auditor" || far.Organization.Name != "acme" {
		t.Errorf("there: %+v", far)
	}
}

// A flood of refusals by a limit costs one row for each source and minute, and
// the dropped ones are counted.
func TestRefusals_R13_FloodIsBounded(t *testing.T) {
	w := start(t, storetest.SQLite, func(o *dev.Options) { now := time.Now(); o.Now = func() time.Time { return now } })
	refused := 0
	for range 200 {
		if w.c.Ask(t, "west", "acme", nobody).Status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 100 {
		t.Fatalf("%d refused: that is no flood", refused)
	}
	sitetest.Eventually(t, 5*time.Second, "the first is kept", func() bool { return len(w.limited(t)) > 0 })
	if err := w.StopSite(t.Context(), "west"); err != nil { // writes what waits
		t.Fatal(err)
	}
	if rows := w.limited(t); len(rows) != 1 || !strings.Contains(rows[0], `"limit":"device_authorization"`) {
		t.Errorf("%d rows of %d refusals: %q", len(rows), refused, rows)
	}
}

func (w *world) limited(t *testing.T) []string {
	return query(t, w.sql["west"], "SELECT detail FROM refusals WHERE status = 429")
}

// What is no denial leaves nothing.
func TestRefusals_NoiseIsNotKept(t *testing.T) {
	w := start(t, storetest.SQLite)
	admin := w.c.Login(t, "west", "acme")
	id, _ := w.c.Account(t, "west", admin, "inventory-bot")
	d := w.c.Ask(t, "west", "acme", id).Want(t, 200)
	answers := []sitetest.Answer{
		w.do(t, "west", "GET", "/nothing", nil, ""), w.do(t, "west", "GET", "/nothing", sitetest.Bearer(admin), ""),
		w.do(t, "west", "DELETE", "/oauth/tenant/acme/token", nil, ""), w.do(t, "west", "GET", "/cloudapi/%2e%2e/x", nil, ""),
		w.c.Poll(t, "west", "acme", id, d.String(t, "device_code")),
	}
	if err := w.StopSite(t.Context(), "west"); err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		if a.Status < 400 {
			t.Fatalf("status %d", a.Status)
		}
		rows := query(t, w.sql["west"], fmt.Sprintf("SELECT code FROM refusals WHERE request_id = '%s'", a.Header.Get(httpapi.HeaderRequestID)))
		if len(rows) != 0 {
			t.Errorf("%d is kept as %q", a.Status, rows)
		}
	}
}
