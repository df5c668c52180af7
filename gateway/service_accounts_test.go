package gateway_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"causeway/internal/sitetest"
)

// TestServiceAccounts_CSP_18_CSP_19_CSP_20 reads what an instance's own rules can name:
// apps with service roles and accounts made by hand, each marked, in one group that is
// as it is.
func TestServiceAccounts_CSP_18_CSP_19_CSP_20(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		e := openEcho(t, w.c, func(http.ResponseWriter, *http.Request) {}, "echo:viewer")
		e.newApp() // without a service role (CSP-21)
		at := e.csp() + "/service-instances"
		ask := func(method, path, body string) sitetest.Answer {
			t.Helper()
			return w.do(t, "west", method, path, sitetest.Bearer(e.admin, "Content-Type", "application/json"), body)
		}
		if list := ask("GET", at+"?pageStart=1&pageLimit=10", "").Want(t, 200); list.JSON(t)["totalResults"] != float64(1) || !strings.Contains(string(list.Body), echoHost) {
			t.Errorf("the instances are %s", list.Body)
		}
		one := at + "/" + e.instance
		if got := ask("GET", one, "").Want(t, 200).String(t, "mode"); got != "onboarded" {
			t.Errorf("its mode is %s", got)
		}
		ask("POST", one+"/service-accounts", `{"id":"SA::Hand"}`).Want(t, 201)
		ask("POST", one+"/service-accounts", `{"id":"sa::hand"}`).Want(t, 409)
		ask("POST", one+"/service-accounts", `{"id":"a b"}`).Want(t, 400)
		var kinds, ids []string
		page, _ := ask("GET", one+"/subjects", "").Want(t, 200).JSON(t)["results"].([]any)
		for _, row := range page {
			m, _ := row.(map[string]any)
			kinds, ids = append(kinds, fmt.Sprint(m["kind"])), append(ids, fmt.Sprint(m["clientId"]))
		}
		slices.Sort(kinds)
		if !slices.Equal(kinds, []string{"app", "manual"}) || !slices.Contains(ids, e.id) {
			t.Errorf("the subjects are %v", page)
		}
		group := ask("GET", one+"/groups/service-accounts", "").Want(t, 200)
		g := group.JSON(t)
		if members, _ := g["results"].([]any); len(members) != 2 || fmt.Sprintf("%v %v %v", g["roles"], g["permissions"], g["name"]) != "[] [] Service Accounts" {
			t.Errorf("the group is %s", group.Body)
		}
		for _, method := range []string{"PUT", "PATCH", "POST", "DELETE"} {
			if a := ask(method, one+"/groups/service-accounts", `{}`); a.Status != 405 && a.Status != 404 {
				t.Errorf("%s of the group: %d", method, a.Status)
			}
		}
		account := fmt.Sprint(page[0].(map[string]any)["id"])
		if kinds := page[0].(map[string]any)["kind"]; kinds != "app" {
			account = fmt.Sprint(page[1].(map[string]any)["id"])
		}
		ask("DELETE", one+"/service-accounts/"+account, "").Want(t, 409)
		ask("DELETE", one+"/service-accounts/sa::hand", "").Want(t, 204)
		ask("GET", one+"/service-accounts/sa::hand", "").Want(t, 404)
		// An app that has an organization role reads them, too; one that has none does not.
		w.do(t, "west", "GET", one+"/service-accounts", sitetest.Bearer(e.token), "").Want(t, 403)
	})
}
