package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

const keysPath = httpapi.OwnAPI + "/signingKeys"

// TestKeys_R5_R7: the provider sees the site's keys, makes one and ends one; a
// tenant learns nothing of them. What a key signed that was ended is refused with
// the next request, and its holder can log in again.
func TestKeys_R5_R7(t *testing.T) {
	w := start(t, storetest.SQLite)
	provider, tenant := w.c.Login(t, "east", sitetest.System), w.c.Login(t, "east", "acme")
	send := func(token, method, path, body string) sitetest.Answer {
		t.Helper()
		return w.do(t, "east", method, keysPath+path, sitetest.Bearer(token, "Content-Type", "application/json"), body)
	}
	list := func(token, query string) []any {
		t.Helper()
		values, _ := send(token, "GET", query, "").Want(t, 200).JSON(t)["values"].([]any)
		return values
	}
	field := func(key any, name string) string {
		t.Helper()
		text, _ := key.(map[string]any)[name].(string)
		return text
	}
	first := list(provider, "")
	if len(first) != 1 || field(first[0], "state") != "signing" || field(first[0], "algorithm") != "ES256" || field(first[0], "purpose") != "access-token" {
		t.Fatalf("the first keys are %v", first)
	}
	if raw := send(provider, "GET", "", "").Body; strings.Contains(strings.ToLower(string(raw)), "private") {
		t.Errorf("shown is %s", raw)
	}
	kid := field(first[0], "kid")

	kept := w.witness(t, "east")
	for path, method := range map[string]string{"": "GET", "/rotate": "POST", "/" + kid + "/retire": "POST", "/nobody/retire": "POST"} {
		if a := send(tenant, method, path, "{}"); a.Status != http.StatusForbidden || strings.Contains(string(a.Body), kid) {
			t.Errorf("a tenant's %s %s: %d %s", method, path, a.Status, a.Body)
		}
		if a := w.do(t, "east", method, keysPath+path, nil, "{}"); a.Status != http.StatusUnauthorized {
			t.Errorf("a stranger's %s %s: %d", method, path, a.Status)
		}
	}
	for _, body := range []string{"", "[]", `{"atOnce":"yes"}`, `{"purpose":"else"}`, `{"purpose":7}`} {
		send(provider, "POST", "/rotate", body).Want(t, 400)
	}
	for _, id := range []string{"nobody", "%00", "..%2f", strings.Repeat("x", 3000)} {
		if a := send(provider, "POST", "/"+id+"/retire", ""); a.Status < 400 || a.Status >= 500 {
			t.Errorf("retire %.10q: %d %s", id, a.Status, a.Body)
		}
	}
	for _, query := range []string{"?filter=private==x", "?sortAsc=retiredAt", "?page=0"} {
		send(provider, "GET", query, "").Want(t, 400)
	}
	kept.unchanged(t)

	made := send(provider, "POST", "/rotate", `{}`).Want(t, 201).JSON(t)
	if made["state"] != "published" {
		t.Errorf("made is %v", made)
	}
	send(provider, "POST", "/rotate", `{}`).Want(t, 409)
	if found := list(provider, "?filter=state==signing"); len(found) != 1 || field(found[0], "kid") != kid {
		t.Errorf("signing are %v", found)
	}

	if a := send(provider, "POST", "/"+kid+"/retire", "").Want(t, 200).JSON(t); a["state"] != "retired" || a["retiredAt"] == nil {
		t.Errorf("retired is %v", a)
	}
	for name, token := range map[string]string{"the provider's": provider, "the tenant's": tenant} {
		if a := send(token, "GET", "", ""); a.Status != http.StatusUnauthorized {
			t.Errorf("%s token still says something: %d", name, a.Status)
		}
	}
	again := list(w.c.Login(t, "east", sitetest.System), "")
	states := map[string]int{}
	for _, k := range again {
		states[field(k, "state")]++
		if !strings.Contains(field(k, "kid"), ".") {
			t.Errorf("%v does not name its site", k)
		}
	}
	if len(again) != 3 || states["retired"] != 1 || states["signing"] != 1 || states["published"] != 1 {
		t.Errorf("the keys are %v", again)
	}
}
