package monitoring_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/browsertest"
	"causeway/internal/config"
	"causeway/internal/relay"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
	"causeway/tenants"
)

// collector is a receiver of webhooks that checks signatures.
type collector struct {
	*httptest.Server
	mu     sync.Mutex
	secret string // as it was shown
	status int
	types  []string // of messages that it took
	bad    int      // calls with another signature
}

func newCollector(t *testing.T) *collector {
	c := &collector{status: http.StatusNoContent}
	c.Server = httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) set(secret string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secret, c.status = secret, status
}

func (c *collector) take(out http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what cannot be read has no such signature
	c.mu.Lock()
	defer c.mu.Unlock()
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.secret, "whsec_"))
	if relay.Sign(key, r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body) != r.Header.Get("webhook-signature") {
		c.bad++
	}
	if c.status/100 == 2 {
		_, kind, _ := strings.Cut(string(body), `"type":"`)
		kind, _, _ = strings.Cut(kind, `"`)
		c.types = append(c.types, kind)
	}
	out.WriteHeader(c.status)
}

func (c *collector) took(kind string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.types {
		if k == kind {
			n++
		}
	}
	return n
}

// TestWebhooks_R7_R12_AreLookedAfterInTheBrowser makes a webhook, tests, changes and
// deletes it; its secret is shown once; who may only look changes nothing, and a tenant
// sees none.
func TestWebhooks_R7_R12_AreLookedAfterInTheBrowser(t *testing.T) {
	w := worldOf(sitetest.Start(t, storetest.SQLite, sitetest.Adjust(func(c *config.Config) {
		c.Audit.WebhookHTTP, c.Audit.WebhookNetworks = config.Allowed, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})))
	to := newCollector(t)
	tab := w.Provider.enter(t, browsertest.Look{Width: 360})
	tab.Go(w.Provider.URL + "/monitor/audit")
	tab.Follow("Webhooks")
	tab.Sees("Nobody is told of changes yet.")
	tab.Follow("New webhook")
	tab.Fill("Name", "siem <b>")
	tab.Fill("Address", to.URL+"/hook")
	tab.Fill("Organization", "nowhere")
	tab.Press("Save")
	if tab.Sees(`There is no organization named "nowhere"`); tab.Status() != http.StatusBadRequest || tab.Value("Name") != "siem <b>" {
		t.Errorf("status %d, the name is %q", tab.Status(), tab.Value("Name"))
	}
	tab.Fill("Organization", "acme")
	tab.Press("Save")
	secret := tab.Text("#webhook-secret")
	if !strings.HasPrefix(secret, "whsec_") || strings.Contains(tab.URL(), secret) {
		t.Fatalf("the secret %q is shown at %s", secret, tab.URL())
	}
	to.set(secret, http.StatusNoContent)
	tab.Follow("I have kept it")
	tab.Sees("siem <b>", to.URL+"/hook", "acme", "1 day", "Nothing told yet", "Nothing is put aside.")
	tab.SeesNot(secret)
	hook := tab.URL()

	t.Run("a test tells whether it is reached", func(t *testing.T) {
		tab.Press("Send a test")
		tab.Sees("The endpoint took the test, in ")
		to.set(secret, http.StatusTeapot)
		tab.Press("Send a test")
		tab.Sees("The endpoint did not take the test. The webhook answered 418.")
		to.set(secret, http.StatusNoContent)
		if n := to.took(relay.TypeTest); n != 1 || to.bad != 0 {
			t.Errorf("it took %d tests, and %d calls had another signature", n, to.bad)
		}
	})
	t.Run("it is told of changes", func(t *testing.T) {
		admin := w.Client.Login(t, "east", "acme")
		w.Client.Post(t, "east", "/cloudapi/1.0.0/roles", sitetest.Bearer(admin), map[string]any{"name": "Told"}).Want(t, http.StatusCreated)
		sitetest.Eventually(t, 20*time.Second, "the role is told of", func() bool { return to.took("role.created") > 0 })
		sitetest.Eventually(t, 20*time.Second, "the page says so", func() bool {
			tab.Go(hook)
			return strings.Contains(tab.Text("#state"), "Well")
		})
	})
	t.Run("a form that somebody overtook saves nothing", func(t *testing.T) {
		tab.Go(hook + "/edit")
		other := w.Provider.enter(t, browsertest.Look{})
		other.Go(hook + "/edit")
		other.Fill("Name", "collector")
		other.Fill("Organization", "")
		other.Press("Save")
		other.Sees("The webhook is saved.", "collector", "All")
		other.Reload()
		other.SeesNot("The webhook is saved.")
		tab.Tick("Tell it of changes")
		tab.Press("Save")
		if tab.Sees("Somebody else changed this"); tab.Status() != http.StatusConflict || tab.Value("Name") != "collector" || !tab.Ticked("Tell it of changes") {
			t.Errorf("status %d, the form shows %q", tab.Status(), tab.Value("Name"))
		}
		tab.Tick("Tell it of changes")
		tab.Press("Save")
		tab.Sees("The webhook is saved.", "Switched off")
	})
	t.Run("another secret signs", func(t *testing.T) {
		tab.Follow("New secret")
		tab.Sees("The old secret signs nothing any more")
		tab.Press("New secret")
		fresh := tab.Text("#webhook-secret")
		to.set(fresh, http.StatusNoContent)
		if fresh == secret || !strings.HasPrefix(fresh, "whsec_") {
			t.Errorf("the new secret is %q", fresh)
		}
		tab.Follow("I have kept it")
		tab.Press("Send a test") // also what is switched off can be tried
		tab.Sees("The endpoint took the test, in ")
		if to.bad != 0 {
			t.Errorf("%d calls had another signature", to.bad)
		}
	})
	t.Run("others look, or see nothing", func(t *testing.T) {
		w.Client.Get(t, "east", "/tenant/acme/monitor/audit/webhooks", nil).Want(t, http.StatusNotFound)
		acme := w.Acme.enter(t, browsertest.Look{})
		acme.Go(w.Acme.URL + "/monitor/audit")
		acme.SeesNot("Webhooks")
		system := w.Client.Login(t, "east", sitetest.System)
		looks := w.auditor(t, system).enter(t, browsertest.Look{})
		looks.Go(hook)
		looks.Sees("collector")
		looks.SeesNot("Send a test", "New secret", "Delete")
		if looks.Go(hook + "/edit"); looks.Status() != http.StatusForbidden {
			t.Errorf("who may only look opens the form: %d", looks.Status())
		}
	})
	tab.Follow("Delete")
	tab.Sees("Delete webhook collector?")
	tab.Press("Delete")
	tab.Sees("The webhook is deleted.", "Nobody is told of changes yet.")
	tab.Go(w.Provider.URL + "/monitor/audit?action=webhook.tested")
	var said string
	if tab.Eval(`[...document.querySelectorAll("tbody details dd")].map(d => d.textContent).join()`, &said); strings.Count(said, "taken") != 2 || !strings.Contains(said, "The webhook answered 418.") {
		t.Errorf("on record is %s", said)
	}
}

// auditor is one of the provider's people who may read the trail and nothing else.
func (w *world) auditor(t *testing.T, token string) portalOf {
	t.Helper()
	header := sitetest.Bearer(token)
	role := w.Client.Post(t, "east", "/cloudapi/1.0.0/roles", header, map[string]string{"name": "Auditor"}).Want(t, http.StatusCreated).String(t, "id")
	info, ok := tenants.LookUpRight(tenants.RightAdministratorView)
	if !ok {
		t.Fatal("there is no such right")
	}
	rights := []map[string]string{{"id": "urn:vcloud:right:" + info.ID()}}
	w.Client.Post(t, "east", "/cloudapi/1.0.0/roles/"+role+"/rights", header, map[string]any{"values": rights}).Want(t, http.StatusOK)
	w.Client.Post(t, "east", "/cloudapi/1.0.0/users", header, map[string]any{
		"username": "aud", "password": "a long password", "enabled": true, "roleEntityRefs": []any{map[string]string{"id": role}},
	}).Want(t, http.StatusCreated)
	p := w.Provider
	p.Admin.User, p.Admin.Password = "aud", "a long password"
	return p
}
