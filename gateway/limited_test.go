package gateway_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/tenants"
)

// rightID finds a right by name.
func (w *world) rightID(t *testing.T, token string, right tenants.Right) string {
	t.Helper()
	list := w.do(t, "east", "GET", "/cloudapi/1.0.0/rights?filter=name=="+url.QueryEscape(string(right)), sitetest.Bearer(token), "").Want(t, 200).JSON(t)
	values, _ := list["values"].([]any)
	if len(values) != 1 {
		t.Fatalf("%d rights are called %s", len(values), right)
	}
	return values[0].(map[string]any)["id"].(string)
}

// personWith makes a role of one right and somebody who holds it, and logs in.
func (w *world) personWith(t *testing.T, right tenants.Right) (token, role string) {
	t.Helper()
	admin := w.c.Login(t, "east", "acme")
	post := func(path, body string, status int) sitetest.Answer {
		t.Helper()
		return w.do(t, "east", "POST", path, sitetest.Bearer(admin, "Content-Type", "application/json"), body).Want(t, status)
	}
	role = post("/cloudapi/1.0.0/roles", fmt.Sprintf(`{"name":"only %s"}`, tenants.NewID()), 201).String(t, "id")
	post("/cloudapi/1.0.0/roles/"+role+"/rights", fmt.Sprintf(`{"values":[{"id":%q}]}`, w.rightID(t, admin, right)), 200)
	name := "p" + strings.ReplaceAll(tenants.NewID(), "-", "")
	post("/cloudapi/1.0.0/users", fmt.Sprintf(`{"username":%q,"password":"a long password","enabled":true,"roleEntityRefs":[{"id":%q}]}`, name, role), 201)
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(name+"@acme", "a long password")
	return w.do(t, "east", "POST", "/cloudapi/1.0.0/sessions", r.Header, "").Want(t, 200).Header.Get(httpapi.HeaderAccessToken), role
}

// Who may only see accounts in the limited view is shown four nulls, and finds
// nothing out by asking for what they stand for.
func TestLimitedView_VCD2_VCD3(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		limited, _ := w.personWith(t, tenants.RightAccountsLimitedView)
		full, _ := w.personWith(t, tenants.RightAccountsView)
		admin := w.c.Login(t, "east", "acme")
		id, _ := w.c.Account(t, "east", admin, "inventory-bot")
		one, list := sitetest.Accounts(id), sitetest.Accounts("")+"?filter=name==inventory-bot"
		account := func(token, path string) map[string]any {
			t.Helper()
			a := w.do(t, "east", "GET", path, sitetest.Bearer(token), "").Want(t, 200).JSON(t)
			if values, ok := a["values"].([]any); ok {
				a, _ = values[0].(map[string]any)
			}
			return a
		}
		hidden := []string{"softwareId", "softwareVersion", "uri", "status"}
		for _, path := range []string{one, list} {
			seen, all := account(limited, path), account(full, path)
			for _, member := range hidden {
				if value, ok := seen[member]; !ok || value != nil {
					t.Errorf("VCD-3 %s: %s is %v, want null", path, member, value)
				}
				if all[member] == nil {
					t.Errorf("%s: %s is null in the full view", path, member)
				}
				delete(seen, member)
				delete(all, member)
			}
			if fmt.Sprint(seen) != fmt.Sprint(all) {
				t.Errorf("%s: the rest differs: %v and %v", path, seen, all)
			}
		}
		for _, q := range []string{"filter=softwareId==*", "filter=softwareVersion==1.0", "filter=uri==*", "filter=status==CREATED",
			"filter=(name==x,status!=ACTIVE)", "sortAsc=status", "sortDesc=softwareId", "sortAsc=uri", "sortAsc=softwareVersion"} {
			w.do(t, "east", "GET", sitetest.Accounts("")+"?"+q, sitetest.Bearer(limited), "").Want(t, 400)
			w.do(t, "east", "GET", sitetest.Accounts("")+"?"+q, sitetest.Bearer(full), "").Want(t, 200)
		}
		w.do(t, "east", "GET", sitetest.Accounts("")+"?filter=role.name==x&sortAsc=name", sitetest.Bearer(limited), "").Want(t, 200)
		w.onlyLooksAtAccounts(t, limited, id)
	})
}

// onlyLooksAtAccounts asks every route that wants a right: the one right allows
// service accounts and nothing else.
func (w *world) onlyLooksAtAccounts(t *testing.T, token, id string) {
	t.Helper()
	for _, e := range endpoints() {
		if e.open() || len(e.rights) == 1 && e.rights[0] == string(httpapi.AnySession) {
			continue
		}
		path := machine{org: "acme", ids: allKinds(id)}.path(e)
		a := w.do(t, "east", e.method, path, sitetest.Bearer(token, "Content-Type", e.media()), "")
		allowed := e.method == http.MethodGet && strings.HasPrefix(e.path, "/cloudapi/1.0.0/serviceAccounts") && !strings.HasSuffix(e.path, "/quotaPolicy")
		if allowed != (a.Status == http.StatusOK) || !allowed && a.Status != http.StatusForbidden {
			t.Errorf("VCD-2 %s is %d", e, a.Status)
		}
	}
}

// What an administrator does to a person counts for the next request.
func TestPersonsRole_R7_CountsAtOnce(t *testing.T) {
	w := start(t, "sqlite")
	token, role := w.personWith(t, tenants.RightAccountsView)
	admin := w.c.Login(t, "east", "acme")
	session := w.do(t, "east", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(token), "").Want(t, 200).JSON(t)
	user := fmt.Sprint(session["user"].(map[string]any)["id"])
	w.do(t, "east", "GET", sitetest.Accounts(""), sitetest.Bearer(token), "").Want(t, 200)
	put := func(edit func(map[string]any)) {
		t.Helper()
		path := "/cloudapi/1.0.0/users/" + user
		body := w.do(t, "east", "GET", path, sitetest.Bearer(admin), "").Want(t, 200).JSON(t)
		edit(body)
		w.c.Put(t, "east", path, sitetest.Bearer(admin, "Content-Type", "application/json"), body).Want(t, 200)
	}
	_, weaker := w.personWith(t, tenants.RightAccountsLimitedView)
	put(func(u map[string]any) { u["roleEntityRefs"] = []any{map[string]any{"id": weaker}} })
	got := w.do(t, "east", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(token), "").Want(t, 200).JSON(t)
	if refs, _ := got["roleRefs"].([]any); len(refs) != 1 || refs[0].(map[string]any)["id"] != weaker {
		t.Errorf("the session's role is %v, was %s", got["roleRefs"], role)
	}
	w.do(t, "east", "GET", sitetest.Accounts("")+"?filter=status==CREATED", sitetest.Bearer(token), "").Want(t, 400)
	put(func(u map[string]any) { u["enabled"] = false })
	w.do(t, "east", "GET", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(token), "").Want(t, 401)
}
