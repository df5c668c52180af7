package gateway_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"causeway/internal/cells"
	"causeway/internal/config"
	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

func receiptPath(seq any) string { return fmt.Sprintf("%s/receipts/%v", httpapi.OwnAPI, seq) }

// receiptOf is the receipt that an answer names.
func receiptOf(t *testing.T, a sitetest.Answer) int64 {
	t.Helper()
	values := a.Header.Values(httpapi.HeaderReceipt)
	if len(values) != 1 {
		t.Fatalf("status %d, receipts %q", a.Status, values)
	}
	seq, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil || seq < 1 {
		t.Fatalf("receipt %q", values[0])
	}
	return seq
}

// Whoever ends access sees, by the number in the answer, where that has taken
// effect; nobody else's numbers say anything.
func TestReceipts_R4_R6(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		admin, provider := w.c.Login(t, "west", "acme"), w.c.Login(t, "west", sitetest.System)
		id, _ := w.c.Account(t, "west", admin, "inventory-bot")
		access, _ := w.c.Connect(t, "west", "acme", id)
		get := func(token string, seq any, pairs ...string) sitetest.Answer {
			t.Helper()
			return w.do(t, "west", "GET", receiptPath(seq), sitetest.Bearer(token, pairs...), "")
		}
		revoked := w.do(t, "west", "POST", "/cloudapi/1.0.0/serviceAccounts/urn:vcloud:serviceAccount:"+id+"/revoke", sitetest.Bearer(admin), "").Want(t, 204)
		seq := receiptOf(t, revoked)
		for name, token := range map[string]string{"the administrator": admin, "the provider": provider} {
			a := get(token, seq).Want(t, 200)
			body := a.JSON(t)
			cells, _ := body["cells"].(map[string]any)
			if body["action"] != "serviceAccount.revoked" || body["seq"] != float64(seq) || body["complete"] != true ||
				cells["live"] != 1.0 || cells["applied"] != 1.0 || cells["waiting"] != 0.0 || cells["refusing"] != 0.0 {
				t.Errorf("%s is shown %s", name, a.Body)
			}
			if sites, _ := body["sites"].([]any); len(sites) != 1 || body["lastTokenDiesAt"] == "" {
				t.Errorf("%s: the associated site is missing: %s", name, a.Body)
			}
			if got := a.Header.Get(httpapi.HeaderReceipt); got != "" {
				t.Errorf("a look has the receipt %s", got)
			}
		}
		if a := w.do(t, "west", "GET", "/api/org", sitetest.Bearer(access), ""); a.Status != http.StatusUnauthorized {
			t.Errorf("with a complete receipt the account's token is still answered %d", a.Status)
		}

		bot, _ := w.c.Connect(t, "west", "acme", id) // allowed nothing of the kind
		absent := get(admin, 1<<40)
		for name, a := range map[string]sitetest.Answer{
			"an account":                       get(bot, seq),
			"the provider, as the tenant":      get(provider, receiptOf(t, w.changeRole(t, provider)), httpapi.HeaderTenantContext, bare(w.c.Site("west").Org("acme").ID)),
			"a tenant, of the provider":        get(admin, receiptOf(t, w.changeRole(t, provider))),
			"a tenant, of what is not written": absent,
		} {
			if a.Status != absent.Status || a.Status == 200 || len(a.Body) != len(absent.Body) {
				t.Errorf("%s: %d %s", name, a.Status, a.Body)
			}
		}
		for _, bad := range []string{"0", "-1", "01", "+1", "x", "99999999999999999999", "1e3", nobody} {
			get(admin, bad).Want(t, 400)
		}
		if a := w.do(t, "west", "GET", receiptPath(seq), nil, ""); a.Status != http.StatusUnauthorized {
			t.Errorf("a stranger: %d", a.Status)
		}
	})
}

// changeRole changes something of the provider's own organization.
func (w *world) changeRole(t *testing.T, provider string) sitetest.Answer {
	t.Helper()
	return w.do(t, "west", "POST", "/cloudapi/1.0.0/roles", sitetest.Bearer(provider, "Content-Type", "application/json"),
		fmt.Sprintf(`{"name":"role-%p"}`, new(int))).Want(t, 201)
}

// Answers that changed nothing have no receipt, and all that did have one, in
// whatever dialect and with or without a body.
func TestReceipts_R4_EveryChangeHasOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		admin := w.c.Login(t, "west", "acme")
		json := sitetest.Bearer(admin, "Content-Type", "application/json")
		var seqs []int64
		change := func(method, path, body string) sitetest.Answer {
			t.Helper()
			a := w.do(t, "west", method, path, json, body)
			if a.Status >= 300 {
				t.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
			}
			seqs = append(seqs, receiptOf(t, a))
			return a
		}
		role := change("POST", "/cloudapi/1.0.0/roles", `{"name":"passing"}`).String(t, "id")
		change("PUT", "/cloudapi/1.0.0/roles/"+role, `{"name":"passing","description":"by"}`)
		change("DELETE", "/cloudapi/1.0.0/roles/"+role, "")
		account := change("POST", "/oauth/tenant/acme/register",
			`{"client_name":"passing","software_id":"bc2528fd-35c4-44e5-a55d-62e5c4bd9c99","scope":"urn:vcloud:role:vApp%20User"}`).String(t, "client_id")
		change("DELETE", "/cloudapi/1.0.0/serviceAccounts/urn:vcloud:serviceAccount:"+account, "")
		if !slices.IsSorted(seqs) {
			t.Errorf("receipts %v", seqs)
		}
		for _, a := range []sitetest.Answer{
			w.do(t, "west", "GET", "/cloudapi/1.0.0/roles", json, ""),
			w.do(t, "west", "DELETE", "/cloudapi/1.0.0/roles/"+role, json, ""),
			w.do(t, "west", "GET", "/sample/inventory", sitetest.Bearer(admin), ""),
			w.c.Form(t, "west", "acme", "device_authorization", "client_id", account),
		} {
			if got := a.Header.Get(httpapi.HeaderReceipt); got != "" {
				t.Errorf("%d %s: receipt %s, and nothing was changed", a.Status, a.Body, got)
			}
		}
	})
}

// A cell that nobody has heard of since the change is waited for, and not for
// longer than it can serve without the database; what it is called is not a
// tenant's business.
func TestReceipts_R4_ASilentCellIsWaitedFor(t *testing.T) {
	w := start(t, storetest.SQLite, sitetest.Adjust(func(c *config.Config) { c.Journal.StaleAfter = time.Second }))
	admin, provider := w.c.Login(t, "west", "acme"), w.c.Login(t, "west", sitetest.System)
	if err := w.Site("west").DB().Cells().Beat(t.Context(), cells.Cell{ID: "silent", Name: "silent:8443"}); err != nil {
		t.Fatal(err)
	}
	seq := receiptOf(t, w.do(t, "west", "POST", "/cloudapi/1.0.0/roles", sitetest.Bearer(admin, "Content-Type", "application/json"), `{"name":"passing"}`))
	get := func(token string) (map[string]any, map[string]any) {
		body := w.do(t, "west", "GET", receiptPath(seq), sitetest.Bearer(token), "").Want(t, 200).JSON(t)
		counted, _ := body["cells"].(map[string]any)
		return body, counted
	}
	body, counted := get(provider)
	if body["complete"] != false || counted["waiting"] != 1.0 || fmt.Sprint(counted["waitingFor"]) != "[silent:8443]" {
		t.Errorf("to the provider at once: %v", body)
	}
	if body, counted = get(admin); body["complete"] != false || counted["waitingFor"] != nil {
		t.Errorf("to the tenant at once: %v", body)
	}
	for begun := time.Now(); body["complete"] != true; time.Sleep(50 * time.Millisecond) {
		if body, counted = get(admin); time.Since(begun) > 30*time.Second {
			t.Fatalf("it is waited for without end: %v", body)
		}
	}
	if counted["refusing"] != 1.0 || counted["applied"] != 1.0 {
		t.Errorf("in the end: %v", counted)
	}
}
