package portal_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"causeway/internal/browsertest"
	"causeway/internal/sitetest"
	"causeway/services"
)

const (
	ownAPI      = "/cloudapi/causeway/1.0.0"
	inventoryID = "5b4f8f5e-7d8a-4d53-9a0e-7f4d1f7a2c11"
)

// inventory is the document of a definition with as many routes beside three of its
// own.
func inventory(routes int, more string) string {
	var b strings.Builder
	b.WriteString("id: " + inventoryID + `
name: Inventory
prefix: inv
permissions:
  - {name: "inv:read", displayName: Read, description: See what there is.}
roles:
  - {name: "inv:reader", displayName: Reader, permissions: ["inv:read"]}
` + more + `routes:
  - {methods: [GET], path: "/help/*", permission: "inv:read", people: true}
  - {methods: [WEBSOCKET], path: "/watch", permission: "inv:read"}
  - {methods: [GET, PUT], path: "/things/{id}", permission: "inv:read"}
`)
	for i := range routes {
		fmt.Fprintf(&b, "  - {methods: [GET], path: \"/parts/%d\", permission: \"inv:read\"}\n", i)
	}
	return b.String()
}

// hook is what an instance is told of its accounts.
type hook struct {
	*httptest.Server
	mu   sync.Mutex
	told []told
}

type told struct {
	Event   string
	Account struct{ ID, Kind string }
	signed  bool
}

// newHook keeps what it is told, and whether that is signed with the secret, which is
// known later.
func newHook(t *testing.T, secret *string) *hook {
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		var one told
		_ = json.Unmarshal(body, &one)
		one.signed = r.Header.Get("X-Causeway-Signature") == services.SignHook([]byte(*secret), r.Header.Get("X-Causeway-Timestamp"), body)
		h.told = append(h.told, one)
	}))
	t.Cleanup(h.Close)
	return h
}

// heard waits for an event by asking again and again in the page.
func (h *hook) heard(event, account string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range h.told {
		if one.Event == event && one.Account.ID == account && one.signed {
			return true
		}
	}
	return false
}

// until waits, without loading the page anew, for what an expression of it says.
func until(t *testing.T, tab *browsertest.Tab, expression string) {
	t.Helper()
	var came bool
	tab.Eval(`new Promise(done => {
		const end = Date.now() + 25000
		const look = () => (`+expression+`) ? done(true) : Date.now() > end ? done(false) : setTimeout(look, 50)
		look()
	})`, &came)
	if !came {
		t.Fatalf("%s never was so:\n%s", expression, tab.Text("main"))
	}
}

func healthy(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// TestServices_CSP2_CSP8_CSP18_CSP19_CSP20_FromDefinitionToAccount is what a provider
// does with a service from its document until nothing is left of it.
func TestServices_CSP2_CSP8_CSP18_CSP19_CSP20_FromDefinitionToAccount(t *testing.T) {
	w := start(t)
	token := sitetest.Bearer(w.Client.Login(t, "west", sitetest.System))
	tab := w.Provider.enter(t, browsertest.Look{})

	tab.Follow("Service Definitions")
	tab.Follow("New service definition")
	faulty := strings.Replace(inventory(2, ""), "prefix: inv", "prefixes: inv", 1)
	tab.Fill("Document", faulty)
	tab.Press("Create")
	if tab.Status() != http.StatusBadRequest || tab.Value("Document") != faulty {
		t.Errorf("a faulty document: %d, and what was typed is %q", tab.Status(), tab.Value("Document"))
	}
	if mark := strings.Fields(tab.Text("pre mark")); len(mark) != 3 || mark[0] != "3" || mark[1] != "prefixes:" {
		t.Errorf("the line at fault: %q", mark)
	}
	tab.Sees(`unknown field \"prefixes\"`)
	tab.Fill("Document", strings.Replace(inventory(2, ""), `permissions: ["inv:read"]`, `permissions: ["inv:write"]`, 1))
	tab.Press("Create")
	tab.Sees(`the role "inv:reader" has the permission "inv:write", which is not one of the service's`)
	w.Client.Get(t, "west", ownAPI+"/serviceDefinitions/"+inventoryID, token).Want(t, http.StatusForbidden)
	tab.Fill("Document", inventory(100, ""))
	tab.Press("Create")
	tab.Sees("The service definition is there.", "Inventory", "Routes (103)", "1 route lets a call become a WebSocket.", "No instance of it runs for an organization.")
	w.Client.Get(t, "west", ownAPI+"/serviceDefinitions/"+inventoryID, token).Want(t, http.StatusOK)
	wantRoutes(t, tab, "parts/42", "GET /parts/42")
	wantRoutes(t, tab, "WEBSOCKET", "WEBSOCKET /watch")
	wantRoutes(t, tab, "put things", "GET PUT /things/{id}")
	wantDownload(t, tab)

	one, two := httptest.NewServer(http.HandlerFunc(healthy)), httptest.NewServer(http.HandlerFunc(healthy))
	defer one.Close()
	defer two.Close()
	var secret string
	h := newHook(t, &secret)
	tab.Follow("Service Instances")
	tab.Follow("New instance")
	tab.Sees("must be in one of these networks: 127.0.0.0/8.")
	tab.Fill("Organization", "nowhere")
	tab.Choose("Service", "Inventory")
	tab.Fill("Name", "stock")
	tab.Fill("Path (optional)", "/stock")
	tab.Fill("Upstreams", one.URL+"\n"+two.URL)
	tab.Fill("Path of the health check", "/healthz")
	tab.Fill("Time between checks", "soon")
	tab.Fill("Bad answers that eject", "1")
	tab.Fill("Good answers that bring back", "1")
	tab.Fill("Hook", h.URL)
	tab.Press("Create the instance")
	if tab.Status() != http.StatusBadRequest || tab.Text("#f-orgId-error") != `There is no organization "nowhere".` || tab.Value("Name") != "stock" {
		t.Errorf("no organization: %s", tab.Text("main"))
	}
	tab.Fill("Organization", "acme")
	tab.Press("Create the instance")
	if tab.Text("#f-interval-error") != `"soon" is no time such as 500ms, 10s or 2m.` {
		t.Errorf("no time: %s", tab.Text("main"))
	}
	tab.Fill("Time between checks", "100ms")
	tab.Fill("Path (optional)", "/cloudapi/stock")
	tab.Press("Create the instance")
	if tab.Text("#f-prefix-error") == "" {
		t.Errorf("a path of the gateway's: %s", tab.Text("main"))
	}
	tab.Fill("Path (optional)", "/stock")
	tab.Press("Create the instance")
	secret = tab.Text("#hook-secret")
	if len(secret) < 32 || strings.Contains(tab.URL(), secret) {
		t.Fatalf("the secret is %q at %s", secret, tab.URL())
	}
	tab.Follow("I have kept it")
	tab.SeesNot(secret)
	at := tab.URL()
	id := at[strings.LastIndexByte(at, '/')+1:]
	in := w.Client.Get(t, "west", ownAPI+"/serviceInstances/urn:vcloud:serviceInstance:"+id, token).Want(t, http.StatusOK).JSON(t)
	if in["name"] != "stock" || in["orgId"] != w.West.Org("acme").ID || in["hookUrl"] != h.URL || in["mode"] != "onboarded" {
		t.Errorf("the API tells of %v", in)
	}

	tab.Eval("window.same = true", nil)
	until(t, tab, `document.querySelector("#health .badge").textContent === "2 of 2 healthy" && document.querySelectorAll("#health tbody time").length === 4`)
	tab.Sees(one.URL, two.URL, "/.well-known/causeway-instance-keys", "X-Causeway-Permissions", w.West.API+"/stock")
	one.Close()
	until(t, tab, `window.same && document.querySelector("#health .badge").textContent === "1 of 2 healthy"`)
	tab.Sees("Ejected", "It failed the health check.")
	tab.Go(w.Provider.URL + "/applications/instances?q=ACM")
	tab.Sees("stock", "1 of 2 healthy", "/stock")

	accountsStory(t, w, tab, h, at, id)
	changesStory(t, w, tab, at, id, token)
}

// wantRoutes searches the table of routes, and wants one to be left.
func wantRoutes(t *testing.T, tab *browsertest.Tab, words, route string) {
	t.Helper()
	tab.Fill("Search routes by method, path or permission", words)
	var left []string
	tab.Eval(`[...document.querySelectorAll("#route-rows tr")].filter(r => r.checkVisibility()).map(r => r.querySelector("th code").textContent)`, &left)
	if len(left) != 1 || left[0] != route {
		t.Errorf("of %q the search leaves %v", words, left)
	}
}

// wantDownload wants the document of the page's definition to read as what it is.
func wantDownload(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	var got struct{ Text, As string }
	tab.Eval(`fetch(location.pathname + "/yaml").then(async a => ({Text: await a.text(), As: a.headers.get("Content-Disposition")}))`, &got)
	d, err := services.ParseDefinition([]byte(got.Text))
	if err != nil || d.ID != inventoryID || len(d.Routes) != 103 || got.As != "attachment; filename=inv.yaml" {
		t.Errorf("downloaded as %q: %v\n%s", got.As, err, got.Text)
	}
}

// accountsStory makes an account by hand, of which the hook hears, and ends it.
func accountsStory(t *testing.T, w *world, tab *browsertest.Tab, h *hook, at, id string) {
	t.Helper()
	tab.Go(at)
	tab.Follow("Service accounts")
	tab.Sees("Nobody is a service account in this instance yet.")
	tab.Follow("New service account")
	tab.Fill("Name", "not a name")
	tab.Press("Create the account")
	if tab.Status() != http.StatusBadRequest || tab.Text("#f-id-error") == "" || tab.Value("Name") != "not a name" {
		t.Errorf("a bad name: %s", tab.Text("main"))
	}
	tab.Fill("Name", "Grafana")
	tab.Press("Create the account")
	tab.Sees("The service account is there.", "sa::grafana", "Made by hand", "1 is in its group Service Accounts (service-accounts)")
	until(t, tab, `document.querySelector("#accounts .badge").textContent === "Delivered"`)
	if !h.heard("account.created", "sa::grafana") {
		t.Errorf("the hook heard %+v", h.told)
	}
	w.failHooks(t)
	tab.Reload()
	tab.Sees("Failed")
	tab.Press("Tell again sa::grafana")
	tab.Sees("The instance is told again.")
	until(t, tab, `document.querySelector("#accounts .badge").textContent === "Delivered"`)
	acme := w.Client.Manager(t, "west", "acme")
	path := "/service-instances/" + id + "/service-accounts"
	if list := acme.Ask(t, http.MethodGet, path, nil).Want(t, http.StatusOK); !strings.Contains(string(list.Body), `"id":"sa::grafana"`) {
		t.Errorf("the API lists %s", list.Body)
	}
	tab.Follow("End sa::grafana")
	tab.Sees("End the service account sa::grafana?", "sa::grafana ends in stock at once", "The name is not given again", "The instance's hook is told")
	tab.Press("End")
	tab.Sees("The service account has ended.", "Nobody is a service account")
	acme.Ask(t, http.MethodGet, path+"/sa::grafana", nil).Want(t, http.StatusNotFound)
	tab.Follow("New service account")
	tab.Fill("Name", "sa::GRAFANA")
	tab.Press("Create the account")
	if tab.Status() != http.StatusBadRequest {
		t.Errorf("a name that an account had: %d", tab.Status())
	}
	tab.Fill("Name", "loki")
	tab.Press("Create the account")
	tab.Sees("sa::loki")
}

// failHooks has what was told to instances look as if they had never taken it: by
// themselves they are given up after hours.
func (w *world) failHooks(t *testing.T) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.Folder, "west", "causeway.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	done, err := db.ExecContext(t.Context(), "UPDATE instance_accounts SET hook_state = 'failed' WHERE hook_state = 'provisioned'")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := done.RowsAffected(); n != 1 || err != nil {
		t.Fatalf("%d hooks were provisioned: %v", n, err)
	}
}

// changesStory changes the definition and the instance, and ends both.
func changesStory(t *testing.T, w *world, tab *browsertest.Tab, at, id string, token http.Header) {
	t.Helper()
	of := w.Provider.URL + "/applications/definitions/" + inventoryID
	tab.Go(of + "/edit")
	next := strings.ReplaceAll(inventory(0, ""), "inv:reader", "inv:viewer")
	tab.Fill("Document", next)
	tab.Press("See what changes")
	tab.Sees("Roles (2)", "inv:reader", "Removed", "inv:viewer", "Added", "Routes (100)", "1 instance is touched", "stock · acme", "0 holders lose the role inv:reader.")
	tab.Press("Change the document")
	if tab.Value("Document") != next {
		t.Errorf("the document to change again is %q", tab.Value("Document"))
	}
	tab.Press("See what changes")
	w.Client.Put(t, "west", ownAPI+"/serviceDefinitions/"+inventoryID, token, map[string]any{
		"name": "Inventory", "prefix": "inv", "roles": []any{map[string]any{"name": "inv:other"}},
	}).Want(t, http.StatusOK)
	tab.Press("Replace the definition")
	if tab.Status() != http.StatusConflict {
		t.Errorf("replacing what somebody changed meanwhile: %d", tab.Status())
	}
	tab.Sees("Somebody changed the definition since you looked.", "inv:other")
	tab.Press("Replace the definition")
	tab.Sees("The service definition is replaced.", "inv:viewer")
	tab.SeesNot("inv:other")
	tab.Follow("Delete")
	tab.Sees("Inventory is in use and cannot be deleted", "stock · acme")

	tab.Go(at + "/edit")
	tab.Tick("Enabled")
	tab.Press("Save")
	tab.Sees("What this ends", "Requests to the instance are refused from now on.")
	tab.Tick("Yes, end this")
	tab.Press("Save")
	tab.Sees("The instance is saved.", "Disabled", "Requests to it are refused until the provider enables it.")
	if in := w.Client.Get(t, "west", ownAPI+"/serviceInstances/urn:vcloud:serviceInstance:"+id, token).JSON(t); in["enabled"] != false {
		t.Errorf("the API tells of %v", in)
	}
	tab.Follow("Delete")
	tab.Sees("Delete the instance stock of acme?", "/stock leads nowhere", "0 accounts of apps in it", "1 account made by hand", "What stays")
	tab.Press("Delete")
	tab.Sees("The instance is deleted.")
	w.Client.Get(t, "west", ownAPI+"/serviceInstances/urn:vcloud:serviceInstance:"+id, token).Want(t, http.StatusForbidden)
	tab.Go(of + "/delete")
	tab.Sees("Delete the service definition Inventory?", "1 role: whoever holds it loses it", "3 routes")
	tab.Press("Delete")
	tab.Sees("The service definition is deleted.")
	w.Client.Get(t, "west", ownAPI+"/serviceDefinitions/"+inventoryID, token).Want(t, http.StatusForbidden)
}
