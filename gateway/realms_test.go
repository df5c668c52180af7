package gateway_test

import (
	"net/http"
	"net/netip"
	"testing"

	"causeway/internal/config"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// Whoever has something of one organization, or nothing at all, learns from no open
// endpoint which other organizations there are: one that is not there answers as one
// that is somebody else's, and as one that is disabled.
func TestOpenEndpoints_R6_RealmsLookAlike(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, provider := w.c, w.c.Login(t, "east", sitetest.System)
		admin := c.Login(t, "east", "acme")
		id, _ := c.Account(t, "east", admin, "inventory-bot")
		access, refresh := c.Connect(t, "east", "acme", id)
		pending := c.Ask(t, "east", "acme", id).Want(t, 200).String(t, "device_code")
		token := w.newAPIToken(t, "east", "acme", admin, "mine")
		user := w.fetchAPIToken(t, "east", "acme", admin, token).String(t, "refresh_token")
		const off = "switched-off"
		w.do(t, "east", "POST", "/cloudapi/1.0.0/orgs", sitetest.Bearer(provider), `{"name":"`+off+`","displayName":"`+off+`","isEnabled":false}`).Want(t, 201)

		for name, ask := range map[string]func(org string) sitetest.Answer{
			"an account's token":       func(org string) sitetest.Answer { return c.Refresh(t, "east", org, refresh) },
			"a user's token":           func(org string) sitetest.Answer { return c.Refresh(t, "east", org, user) },
			"an invented token":        func(org string) sitetest.Answer { return c.Refresh(t, "east", org, "invented") },
			"a client's device code":   func(org string) sitetest.Answer { return c.Poll(t, "east", org, id, pending) },
			"an invented device code":  func(org string) sitetest.Answer { return c.Poll(t, "east", org, nobody, "invented") },
			"a client":                 func(org string) sitetest.Answer { return c.Ask(t, "east", org, id) },
			"an invented client":       func(org string) sitetest.Answer { return c.Ask(t, "east", org, nobody) },
			"a person's assertion":     func(org string) sitetest.Answer { return w.assert(t, org, id, admin) },
			"a machine's assertion":    func(org string) sitetest.Answer { return w.assert(t, org, id, access) },
			"an invented assertion":    func(org string) sitetest.Answer { return w.assert(t, org, id, "x") },
			"revoking a refresh token": func(org string) sitetest.Answer { return c.Form(t, "east", org, "revoke", "token", refresh) },
			"revoking an access token": func(org string) sitetest.Answer { return c.Form(t, "east", org, "revoke", "token", access) },
			"revoking an invented one": func(org string) sitetest.Answer { return c.Form(t, "east", org, "revoke", "token", "invented") },
			"revoking a user's token":  func(org string) sitetest.Answer { return c.Form(t, "east", org, "revoke", "token", user) },
		} {
			t.Run(name, func(t *testing.T) {
				ask("nowhere") // so that all names are as well known
				none := ask("nowhere")
				for _, org := range []string{"globex", off} {
					if a := ask(org); a.Status != none.Status || masked(a) != masked(none) {
						t.Errorf("%s: %d %s\nnot there: %d %s", org, a.Status, a.Body, none.Status, none.Body)
					}
				}
			})
		}
		c.Refresh(t, "east", "acme", refresh).Want(t, 200)
	})
}

// assert shows an assertion to the token endpoint of an organization.
func (w *world) assert(t *testing.T, org, client, assertion string) sitetest.Answer {
	t.Helper()
	return w.c.Form(t, "east", org, "token", "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_id", client, "assertion", assertion)
}

// Who knows an app's client_id can ask for a code and poll that as fast as it likes:
// the app's own polls are not slowed down.
func TestDevicePolls_R2_R13_StrangersUseUpTheirOwn(t *testing.T) {
	w := start(t, storetest.SQLite, sitetest.Adjust(func(c *config.Config) {
		c.Public.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}
	}))
	id, _ := w.c.Account(t, "west", w.c.Login(t, "west", "acme"), "inventory-bot")
	from := func(source, endpoint, form string) sitetest.Answer {
		return w.do(t, "west", "POST", "/oauth/tenant/acme/"+endpoint, http.Header{
			"Content-Type": {"application/x-www-form-urlencoded"}, "X-Forwarded-For": {source},
		}, "client_id="+id+form)
	}
	const app, stranger = "192.0.2.1", "198.51.100.9"
	poll := func(source, code string) sitetest.Answer {
		return from(source, "token", "&grant_type="+sitetest.DeviceGrant+"&device_code="+code)
	}
	mine := from(app, "device_authorization", "").Want(t, 200).String(t, "device_code")
	theirs := from(stranger, "device_authorization", "").Want(t, 200).String(t, "device_code")
	refused := 0
	for range 60 {
		if poll(stranger, theirs).Status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("of 60 polls at once %d were refused", refused)
	}
	a := poll(app, mine).Want(t, 400)
	if a.String(t, "error") != "authorization_pending" {
		t.Errorf("the app's first poll: %s", a.Body)
	}
}
