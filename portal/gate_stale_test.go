package portal_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"causeway/internal/sitetest"
	"causeway/tenants"
)

var fieldTag = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)"`)

// hiddenOf are the hidden fields of a page's form.
func hiddenOf(a sitetest.Answer) url.Values {
	v := url.Values{}
	for _, m := range fieldTag.FindAllStringSubmatch(string(a.Body), -1) {
		v.Add(m[1], m[2])
	}
	return v
}

// TestStaleForms_R7: a form that was opened before somebody else decided something does
// not undo the decision.
func TestStaleForms_R7(t *testing.T) {
	w := start(t)
	session, token := w.session(t, w.Acme), w.Client.Login(t, "west", "acme")
	open := func(path string) url.Values {
		t.Helper()
		return hiddenOf(w.send(t, http.MethodGet, w.Acme.URL+path, session, nil).Want(t, http.StatusOK))
	}
	send := func(path string, form url.Values, status int) {
		t.Helper()
		w.send(t, http.MethodPost, w.Acme.URL+path, session, form).Want(t, status)
	}
	strong := w.makeRole(t, token, "Strong", tenants.RightUserView, tenants.RightAuditView)
	weak := w.makeRole(t, token, "Weak", tenants.RightUserView)
	asRole := func(id string) map[string]any { return map[string]any{"id": "urn:vcloud:role:" + id} }

	t.Run("the role of a user", func(t *testing.T) {
		w.makeUser(t, token, "ulf", strong)
		path := peoplePath + "/users/" + w.userOf(t, token, "ulf") + "/edit"
		form := open(path)
		form.Set("role", strong)
		form.Set("fullName", "Ulf")
		changed := func(role string) {
			t.Helper()
			w.Client.Put(t, "west", "/cloudapi/1.0.0/users/urn:vcloud:user:"+w.userOf(t, token, "ulf"), sitetest.Bearer(token), map[string]any{
				"username": "ulf", "enabled": true, "roleEntityRefs": []any{asRole(role)},
			}).Want(t, http.StatusOK)
		}
		changed(weak)
		send(path, form, http.StatusConflict)
		changed(strong)
		send(path, form, http.StatusSeeOther)
	})
	t.Run("the role of a service account", func(t *testing.T) {
		bot, account := w.Client.Account(t, "west", token, "inventory-bot")
		path := machines + "/" + bot + "/edit"
		form := open(path)
		form.Set("softwareId", fmt.Sprint(account["softwareId"]))
		form.Set("role", form.Get("seen"))
		change := func(role any) {
			t.Helper()
			account["role"] = role
			w.Client.Put(t, "west", "/cloudapi/1.0.0/serviceAccounts/urn:vcloud:serviceAccount:"+bot, sitetest.Bearer(token), account).Want(t, http.StatusOK)
		}
		was := account["role"]
		change(asRole(weak))
		send(path, form, http.StatusConflict)
		change(was)
		send(path, form, http.StatusSeeOther)
	})
	t.Run("settings, quotas and limits", func(t *testing.T) { w.staleSettings(t, session, token, open, send) })
	t.Run("an instance", func(t *testing.T) {
		in, provider := w.Client.NewInstance(t, "west", "acme", "stale", "onboarded"), w.session(t, w.Provider)
		at := w.Provider.URL + "/applications/instances/" + in.ID + "/edit"
		stale := hiddenOf(w.send(t, http.MethodGet, at, provider, nil).Want(t, http.StatusOK))
		system := sitetest.Bearer(w.Client.Login(t, "west", sitetest.System))
		api := "/cloudapi/causeway/1.0.0/serviceInstances/urn:vcloud:serviceInstance:" + in.ID
		body := w.Client.Get(t, "west", api, system).Want(t, http.StatusOK).JSON(t)
		body["enabled"] = false
		w.Client.Put(t, "west", api, system, body).Want(t, http.StatusOK)
		stale.Set("enabled", "on")
		w.send(t, http.MethodPost, at, provider, stale).Want(t, http.StatusConflict)
		fresh := hiddenOf(w.send(t, http.MethodGet, at, provider, nil).Want(t, http.StatusOK))
		w.send(t, http.MethodPost, at, provider, fresh).Want(t, http.StatusOK) // asks whether its end is meant
	})
	t.Run("the end of an old secret", func(t *testing.T) {
		app := w.Client.Manager(t, "west", "acme").NewApp(t, "displayName", "Rotating")
		const apps = "/applications/apps/"
		rotate := func() {
			t.Helper()
			form := open(apps + app.ID + "/rotate")
			form.Set("overlap", "3600")
			send(apps+app.ID+"/rotate", form, http.StatusOK)
		}
		rotate()
		stale := open(apps + app.ID + "/end-overlap")
		send(apps+app.ID+"/end-overlap", stale, http.StatusSeeOther)
		rotate()
		send(apps+app.ID+"/end-overlap", stale, http.StatusConflict)
		send(apps+app.ID+"/end-overlap", open(apps+app.ID+"/end-overlap"), http.StatusSeeOther)
	})
}

// staleSettings sends each form twice as it was opened once: the second would undo the
// first.
func (w *world) staleSettings(t *testing.T, session, token string, open func(string) url.Values, send func(string, url.Values, int)) {
	policy := w.Client.Post(t, "west", "/cloudapi/1.0.0/quotaPolicies", sitetest.Bearer(token), map[string]any{"name": "Stale", "quotaPoolDefinitions": []any{}}).
		Want(t, http.StatusCreated).String(t, "id")
	for path, fields := range map[string][]string{
		"/administration/settings/general": {"displayName", "A", "displayName", "B"},
		"/administration/settings/lockout": {"invalidLogins", "7", "invalidLogins", "8"},
		"/administration/settings/tokens":  {"maxRetries", "3", "maxRetries", "2"},
		"/administration/quotas/policy/" + strings.TrimPrefix(policy, "urn:vcloud:quotaPolicy:"): {"name", "Stale 1", "name", "Stale 2"},
	} {
		first := open(path)
		if first.Get("seen") == "" {
			t.Errorf("%s does not say what it showed", path)
		}
		second := maps.Clone(first)
		first.Set(fields[0], fields[1])
		second.Set(fields[2], fields[3])
		send(path, first, http.StatusSeeOther)
		a := w.send(t, http.MethodPost, w.Acme.URL+path, session, second).Want(t, http.StatusConflict)
		if body := string(a.Body); !strings.Contains(body, `value="`+fields[1]+`"`) || strings.Contains(body, `value="`+fields[3]+`"`) {
			t.Errorf("%s does not show how it is now: %s", path, alert(a))
		}
	}
	provider := w.session(t, w.Provider)
	for path, change := range map[string][2]string{
		w.acmePath() + "/limits":                           {"management.account.tokens", "20"},
		w.Acme.URL + "/administration/quotas/organization": {"policy", strings.TrimPrefix(policy, "urn:vcloud:quotaPolicy:")},
	} {
		form := hiddenOf(w.send(t, http.MethodGet, path, provider, nil).Want(t, http.StatusOK))
		form.Set(change[0], change[1])
		if strings.HasSuffix(path, "limits") {
			form.Set("management.account.per", "1s")
		}
		w.send(t, http.MethodPost, path, provider, form).Want(t, http.StatusSeeOther)
		form.Set(change[0], "")
		if strings.HasSuffix(path, "limits") {
			form.Set("management.account.per", "")
		}
		w.send(t, http.MethodPost, path, provider, form).Want(t, http.StatusConflict)
	}
}

// TestLongForms_R13: a form that names more than there can be is refused before its
// parts are compared with each other.
func TestLongForms_R13(t *testing.T) {
	w := start(t)
	session := w.session(t, w.Acme)
	roles, permissions := url.Values{"go": {"review"}, "client": {"x"}}, url.Values{"name": {"x"}, "displayName": {"x"}}
	for i := range 5000 {
		roles.Add("role", fmt.Sprintf("o/%d", i))
		permissions.Add("permission", fmt.Sprintf("%d", i))
	}
	for path, form := range map[string]url.Values{
		"/applications/access/add": roles, "/applications/apps/new": roles, "/applications/custom-roles/new": permissions,
	} {
		a := w.send(t, http.MethodPost, w.Acme.URL+path, session, form).Want(t, http.StatusBadRequest)
		if !strings.Contains(string(a.Body), "at most 1000") {
			t.Errorf("%s refuses by something else: %s", path, alert(a))
		}
	}
}
