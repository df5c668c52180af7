package portal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"causeway/internal/browsertest"
	"causeway/internal/sitetest"
	"causeway/tenants"
)

const wrongCode = "No open request in organization acme has this code."

// TestReview_VCD64_VCD80_R2 is about what can go wrong while somebody reviews a request.
func TestReview_VCD64_VCD80_R2(t *testing.T) {
	w := start(t)
	token := w.Client.Login(t, "west", "acme")
	bot, _ := w.Client.Account(t, "west", token, "inventory-bot")
	tab := w.Acme.enter(t, browsertest.Look{})

	t.Run("by keyboard alone", func(t *testing.T) {
		code, device, _ := w.asks(t, "acme", bot)
		tab.Go(w.Acme.URL + accessCodes)
		awaitFocus(t, tab, "f-code")
		tab.Keys(strings.ToLower(strings.ReplaceAll(code, "-", "")))
		if got := tab.Value("User code"); got != code {
			t.Errorf("the field groups what is typed to %q, not %q", got, code)
		}
		tab.Enter()
		tab.Sees("Access for inventory-bot")
		tabTo(t, tab, "Grant access")
		tab.Enter()
		tab.Sees("Access granted to inventory-bot")
		w.Client.Poll(t, "west", "acme", bot, device).Want(t, http.StatusOK)
	})
	t.Run("a link looks nothing up", func(t *testing.T) {
		code, _, _ := w.asks(t, "acme", bot)
		tab.Go(w.Acme.URL + accessCodes + "?user_code=" + code + "&code=" + code)
		tab.SeesNot("inventory-bot")
	})
	t.Run("others that ask at the same time are told of", func(t *testing.T) {
		w.Client.Revoke(t, "west", token, bot)
		first, _, _ := w.asks(t, "acme", bot)
		w.asks(t, "acme", bot)
		tab.Go(w.Acme.URL)
		lookUp(tab, first)
		tab.Sees("1 other request of this account is open, too.")
	})
	t.Run("another organization's code is as good as none", func(t *testing.T) {
		system := w.Client.Register(t, "west", sitetest.System, w.Client.Login(t, "west", sitetest.System), "Backup", tenants.NewID(), "System Administrator")
		code, device, _ := w.asks(t, sitetest.System, system)
		for _, typed := range []string{code, "BBBB-BBBB", "no code"} {
			tab.Go(w.Acme.URL)
			lookUp(tab, typed)
			if tab.Status() != http.StatusNotFound {
				t.Errorf("%q: %d", typed, tab.Status())
			}
			tab.Sees(wrongCode)
			tab.SeesNot("Backup")
		}
		provider := w.Provider.enter(t, browsertest.Look{})
		lookUp(provider, code)
		provider.Sees("Access for Backup", "This is an account of the provider.")
		provider.Go(w.Acme.URL) // as the provider who acts in acme
		lookUp(provider, code)
		provider.Sees(wrongCode)
		if got := w.Client.Poll(t, "west", sitetest.System, system, device).String(t, "error"); got != "authorization_pending" {
			t.Errorf("the provider's request is %s", got)
		}
	})
	t.Run("what was granted is what was shown", func(t *testing.T) { grantShown(t, w, tab, token, bot) })
}

// awaitFocus waits until the page has given an element the focus.
func awaitFocus(t *testing.T, tab *browsertest.Tab, id string) {
	t.Helper()
	sitetest.Eventually(t, time.Minute, id+" has the focus", func() bool {
		var at string
		tab.Eval(`document.readyState === "complete" ? document.activeElement.id : ""`, &at)
		return at == id
	})
}

// tabTo presses the tabulator until the button with these words has the focus.
func tabTo(t *testing.T, tab *browsertest.Tab, words string) {
	t.Helper()
	for range 60 {
		tab.Keys("\t")
		var at string
		if tab.Eval(`document.activeElement.textContent.trim()`, &at); at == words {
			return
		}
	}
	t.Fatalf("the keyboard does not reach %q", words)
}

// grantShown changes the account, and then its role, between look-up and grant.
func grantShown(t *testing.T, w *world, tab *browsertest.Tab, token, bot string) {
	role := w.makeRole(t, token, "Harmless", tenants.RightOrganizationView)
	edit := func(version string) {
		w.Client.Put(t, "west", sitetest.Accounts(bot), sitetest.Bearer(token), map[string]any{
			"softwareId": w.File.Account.SoftwareID, "softwareVersion": version, "uri": "", "role": map[string]string{"id": "urn:vcloud:role:" + role},
		}).Want(t, http.StatusOK)
	}
	edit("2.0")
	code, device, _ := w.asks(t, "acme", bot)
	for _, change := range []struct {
		shows string
		do    func()
	}{
		{"2.1", func() { edit("2.1") }},
		{"2 rights that only look", func() {
			w.Client.Post(t, "west", "/cloudapi/1.0.0/roles/urn:vcloud:role:"+role+"/rights", sitetest.Bearer(token), map[string]any{
				"values": []map[string]string{{"id": "urn:vcloud:right:" + rightID(t, tenants.RightAuditView)}},
			}).Want(t, http.StatusOK)
		}},
	} {
		tab.Go(w.Acme.URL)
		lookUp(tab, code)
		tab.SeesNot(change.shows)
		change.do()
		tab.Press("Grant access")
		if tab.Status() != http.StatusConflict {
			t.Errorf("%s: the grant is answered with %d", change.shows, tab.Status())
		}
		tab.Sees("Nothing was granted.", change.shows)
		if got := w.Client.Poll(t, "west", "acme", bot, device).String(t, "error"); got == "" {
			t.Fatalf("%s: it was granted", change.shows)
		}
	}
	tab.Press("Grant access")
	tab.Sees("Access granted to inventory-bot")
}

// TestReview_R2_GuessesAreLimited counts wrong codes of both faces together.
func TestReview_R2_GuessesAreLimited(t *testing.T) {
	w := start(t)
	admin := w.Client.Login(t, "west", "acme")
	bot, _ := w.Client.Account(t, "west", admin, "inventory-bot")
	code, _, _ := w.asks(t, "acme", bot)
	tab := w.Acme.enter(t, browsertest.Look{})
	for range 6 {
		w.Client.Decide(t, "west", admin, "", "BBBB-BBBC").Want(t, http.StatusNotFound)
	}
	for range 2 { // the API's six and these two are eight
		lookUp(tab, "BBBB-BBBB")
		if tab.Status() != http.StatusNotFound {
			t.Fatalf("a wrong code is answered with %d", tab.Status())
		}
	}
	lookUp(tab, code) // a right one does not count
	tab.Sees("Access for inventory-bot")
	for range 2 {
		lookUp(tab, "BBBB-BBBB")
	}
	lookUp(tab, code)
	if tab.Status() != http.StatusTooManyRequests {
		t.Errorf("after ten wrong codes the right one is answered with %d", tab.Status())
	}
	tab.Sees("There were too many wrong codes. Try again in ")
	tab.SeesNot("inventory-bot")
	w.Client.Decide(t, "west", admin, "", code).Want(t, http.StatusTooManyRequests)
}

// TestAccounts_VCD44_VCD52_LimitedViewAndWeakRoles is what others than administrators
// see.
func TestAccounts_VCD44_VCD52_LimitedViewAndWeakRoles(t *testing.T) {
	w := start(t)
	token := w.Client.Login(t, "west", "acme")
	bot, _ := w.Client.Account(t, "west", token, "inventory-bot")
	other := w.Client.Post(t, "west", sitetest.Realm("acme")+"/register", sitetest.Bearer(token), map[string]string{
		"client_name": `<i>other</i>`, "software_id": tenants.NewID(), "software_version": "4.2", "scope": "urn:vcloud:role:Inventory%20Operator", "client_uri": "https://x.example/",
	}).Want(t, http.StatusCreated).String(t, "client_id")

	t.Run("the list by version and status", func(t *testing.T) {
		tab := w.Acme.enter(t, browsertest.Look{})
		tab.Go(w.Acme.URL + machines)
		tab.Fill("Software version", "4.*")
		tab.Press("Apply")
		tab.Sees("<i>other</i>", "1–1 of 1")
		tab.SeesNot("inventory-bot")
		w.asks(t, "acme", bot)
		tab.Go(w.Acme.URL + machines + "?status=REQUESTED&sort=-softwareVersion")
		tab.Sees("inventory-bot", "1–1 of 1")
		tab.Go(w.Acme.URL + machines + "?softwareVersion=none")
		tab.Sees("Nothing matches.")
	})
	t.Run("the limited view", func(t *testing.T) {
		limited := w.makeUser(t, token, "liz", w.makeRole(t, token, "Lister", tenants.RightAccountsLimitedView))
		tab := limited.enter(t, browsertest.Look{Width: 360})
		tab.Go(w.Acme.URL + machines)
		tab.Sees("inventory-bot", "Inventory Operator", "<i>other</i>")
		tab.SeesNot("REQUESTED", "4.2", "New service account", "Software version", "Review Access Requests")
		for _, hidden := range []string{"?softwareVersion=4.2", "?status=ACTIVE", "?q=4.2"} {
			tab.Go(w.Acme.URL + machines + hidden)
			if rows := strings.Contains(tab.Text("main"), "other"); rows != !strings.HasPrefix(hidden, "?q") {
				t.Errorf("%s tells: %s", hidden, tab.Text("main"))
			}
		}
		tab.Go(w.Acme.URL + machines)
		tab.Follow("<i>other</i>")
		tab.Sees("<i>other</i>", "Inventory Operator")
		if !strings.HasSuffix(tab.URL(), other) {
			t.Errorf("the list leads to %s", tab.URL())
		}
		tab.SeesNot("4.2", "CREATED", "x.example", "/device_authorization", "Delete", "History")
		if tab.Overflows() {
			t.Error("the page is wider than a phone")
		}
		for _, closed := range []string{machines + "/new", accessCodes, machines + "/" + bot + "/edit", machines + "/" + bot + "/delete"} {
			if tab.Go(w.Acme.URL + closed); tab.Status() != http.StatusForbidden {
				t.Errorf("%s is answered with %d", closed, tab.Status())
			}
		}
		for _, hidden := range []string{"status", "softwareVersion", "softwareId", "uri"} {
			if tab.Go(w.Acme.URL + machines + "?sort=" + hidden); tab.Status() != http.StatusBadRequest {
				t.Errorf("it can be sorted by %s: %d", hidden, tab.Status())
			}
		}
	})
	t.Run("nobody gives more than they have", func(t *testing.T) {
		weak := w.makeUser(t, token, "walt", w.makeRole(t, token, "Keeper", tenants.RightAccountsManage, tenants.RightAccountsView))
		tab := weak.enter(t, browsertest.Look{})
		tab.Go(w.Acme.URL + machines + "/new")
		tab.Sees("Keeper")
		tab.SeesNot("Lister", "Inventory Operator", "Organization Administrator")
		code, device, _ := w.asks(t, "acme", bot)
		lookUp(tab, code)
		tab.Press("Grant access")
		if tab.Status() != http.StatusForbidden {
			t.Errorf("a grant of what they lack is answered with %d", tab.Status())
		}
		tab.Sees("which the caller's own role does not")
		if got := w.Client.Poll(t, "west", "acme", bot, device).String(t, "error"); got != "authorization_pending" {
			t.Errorf("the app is told %s", got)
		}
		tab.Go(w.Acme.URL + machines + "/" + bot + "/edit")
		tab.Sees("The account has the role Inventory Operator, which allows more than your own role")
	})
}
