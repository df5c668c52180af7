package gateway_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
)

// After a whole life of an account no token, code or password is anywhere: not
// in the log, not in a database, not in a metric.
func TestSecretsAreNowhere_R12_VCD12_VCD14(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, secrets := w.c, map[string]string{}
		keep := func(name, value string) string {
			if len(value) < 8 {
				t.Fatalf("%s is %q", name, value)
			}
			secrets[name] = value
			return value
		}
		for _, site := range w.File.Sites {
			keep("password of "+site.Name+"'s administrator", site.Admin.Password)
			for _, o := range site.Organizations {
				keep("password of "+site.Name+"'s "+o.Name, o.Admin.Password)
			}
		}
		admin := keep("access token of a person", c.Login(t, "west", "acme"))
		keep("access token of a provider", c.Login(t, "west", "System"))
		keep("access token of east's person", c.Login(t, "east", "acme"))
		id, _ := c.Account(t, "west", admin, "inventory-bot")
		opaque := keep("opaque token", w.loginLegacy(t, "west", "acme").Header.Get(httpapi.HeaderLegacyToken))

		// Denied, then granted after polls that were too early.
		denied := c.Form(t, "west", "acme", "device_authorization", "client_id", id).Want(t, 200)
		keep("user code, denied", denied.String(t, "user_code"))
		keep("device code, denied", denied.String(t, "device_code"))
		c.Decide(t, "west", admin, "/deny", denied.String(t, "user_code")).Want(t, 204)
		c.Poll(t, "west", "acme", id, denied.String(t, "device_code")).Want(t, 400)
		d := c.Form(t, "west", "acme", "device_authorization", "client_id", id).Want(t, 200)
		user, device := keep("user code", d.String(t, "user_code")), keep("device code", d.String(t, "device_code"))
		c.Poll(t, "west", "acme", id, device).Want(t, 400)
		c.Poll(t, "west", "acme", id, device).Want(t, 400)
		c.Decide(t, "west", admin, "", user).Want(t, 303)
		c.Decide(t, "west", admin, "/grant", user).Want(t, 204)
		tokens := c.Poll(t, "west", "acme", id, device).Want(t, 200)
		access, first := keep("access token", tokens.String(t, "access_token")), keep("refresh token", tokens.String(t, "refresh_token"))

		// Work here and elsewhere, served and refused.
		for _, context := range []string{"", "acme-labs", "globex", "nowhere"} {
			for _, path := range []string{"/sample/inventory", "/sample/audit", "/api/org", "/cloudapi/1.0.0/serviceAccounts", "/nothing"} {
				w.do(t, "west", "GET", path, sitetest.Bearer(access, httpapi.HeaderAuthContext, context), "")
			}
		}
		// Secrets where they do not belong: in the query, in every header, in paths,
		// in bodies that are refused, at the wrong endpoint, as a password.
		w.do(t, "west", "GET", "/sample/inventory?access_token="+access, sitetest.Bearer(access), "").Want(t, 200)
		w.do(t, "west", "GET", "/sample/"+first, sitetest.Bearer(access), "")
		for _, context := range []string{"", "acme-labs"} {
			w.do(t, "west", "GET", "/sample/inventory", http.Header{httpapi.HeaderLegacyToken: {opaque}, httpapi.HeaderAuthContext: {context}}, "")
		}
		w.do(t, "west", "GET", "/api/org", sitetest.Bearer(opaque), "").Want(t, 401)
		w.do(t, "west", "GET", "/api/org/"+first, sitetest.Bearer(access), "")
		w.do(t, "west", "GET", "/nothing/"+device+"?x="+first, nil, "")
		w.do(t, "west", "GET", "/cloudapi/1.0.0/serviceAccounts?filter=name=="+first, sitetest.Bearer(admin), "")
		w.do(t, "west", "GET", "/cloudapi/1.0.0/serviceAccounts?filter="+first, sitetest.Bearer(admin), "")
		w.do(t, "west", "GET", "/cloudapi/1.0.0/serviceAccounts?sortAsc="+first, sitetest.Bearer(admin), "")
		w.do(t, "west", "GET", "/api/org", http.Header{
			httpapi.HeaderAccessToken: {access}, httpapi.HeaderLegacyToken: {access}, "Cookie": {"vcloud_jwt=" + access}, "Dpop": {access},
			"Proxy-Authorization": {"Bearer " + access}, "Csp-Auth-Token": {access},
		}, "")
		w.do(t, "west", "GET", "/api/org", sitetest.Bearer(first), "").Want(t, 401)
		w.do(t, "west", "POST", "/oauth/tenant/acme/token?refresh_token="+first, nil, "").Want(t, 400)
		w.do(t, "west", "POST", "/oauth/tenant/"+first+"/token", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, "grant_type=refresh_token&refresh_token="+first)
		c.Form(t, "west", "acme", "token", "grant_type", first, "refresh_token", first).Want(t, 400)
		c.Form(t, "west", "acme", "token", "grant_type", "refresh_token", "refresh_token", first, "client_id", first).Want(t, 400)
		c.Form(t, "west", "acme", "device_authorization", "client_id", device).Want(t, 400)
		c.Decide(t, "west", admin, "/grant", user).Want(t, 404)
		c.Decide(t, "west", admin, "", keep("user code that is none", "CCCC-CCCC")).Want(t, 404)
		wrong := keep("wrong password", "wrong-password-of-somebody")
		r, _ := http.NewRequest("POST", "/", nil)
		r.SetBasicAuth("acme-admin@acme", wrong)
		w.do(t, "west", "POST", "/cloudapi/1.0.0/sessions", r.Header, "").Want(t, 401)
		keep("login header", strings.TrimPrefix(r.Header.Get("Authorization"), "Basic "))

		w.appSecrets(t, admin, keep)

		// A webhook whose path keeps strangers out, and that cannot be reached.
		provider := c.Login(t, "west", "System")
		hook := c.Post(t, "west", "/cloudapi/causeway/1.0.0/auditWebhooks", sitetest.Bearer(provider), map[string]any{
			"name": "siem", "url": "https://127.0.0.1:9/services/" + keep("path of a webhook", "T024BE7LD-xoxb"),
		}).Want(t, http.StatusCreated)
		test := "/cloudapi/causeway/1.0.0/auditWebhooks/" + hook.String(t, "id") + "/test"
		keep("secret of a webhook", strings.TrimPrefix(hook.String(t, "secret"), "whsec_"))
		w.do(t, "west", "POST", test, sitetest.Bearer(provider), "")

		// Rotation, retry, replay, revocation.
		second := c.Refresh(t, "west", "acme", first).Want(t, 200)
		keep("second refresh token", second.String(t, "refresh_token"))
		keep("second access token", second.String(t, "access_token"))
		c.Refresh(t, "west", "acme", first).Want(t, 200)
		third := c.Refresh(t, "west", "acme", second.String(t, "refresh_token")).Want(t, 200)
		keep("third refresh token", third.String(t, "refresh_token"))
		c.Refresh(t, "west", "acme", first).Want(t, 400)
		again, refresh := c.Connect(t, "west", "acme", id)
		keep("access token, again", again)
		keep("refresh token, again", refresh)
		w.do(t, "west", "POST", "/cloudapi/1.0.0/serviceAccounts/"+id+"/revoke", sitetest.Bearer(admin), "").Want(t, 204)
		w.do(t, "west", "DELETE", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(admin), "").Want(t, 204)

		places := map[string][]byte{}
		for _, site := range []string{"west", "east"} {
			places["metrics of "+site] = c.Do(t, "GET", w.c.Site(site).Ops+"/metrics", nil, nil).Want(t, 200).Body
			var dump strings.Builder
			for _, row := range w.everything(t, site) {
				dump.WriteString(row + "\n")
			}
			places["database of "+site] = []byte(dump.String())
		}
		// The files as they are on the disk, pages that are not in use included, and
		// once more when the sites have ended.
		w.files(t, places, "")
		for _, site := range []string{"west", "east"} {
			if err := w.StopSite(t.Context(), site); err != nil {
				t.Error(err)
			}
		}
		w.files(t, places, ", at the end")

		if n := len(places["causeway.log"]); n < 5_000 {
			t.Errorf("the log holds %d bytes: it cannot be the log of all this", n)
		}
		if !bytes.Contains(places["database of west"], []byte(id)) || !bytes.Contains(places["causeway.log"], []byte("inventory-bot")) {
			t.Error("the search finds nothing at all")
		}
		for place, content := range places {
			for name, value := range secrets {
				for _, form := range forms(value) {
					if bytes.Contains(content, []byte(form)) {
						t.Errorf("%s is in %s, as %.12s…", name, place, form)
					}
				}
			}
		}
	})
}

// forms are the spellings in which a secret would still be one.
func forms(s string) []string {
	all := []string{s, url.QueryEscape(s), hex.EncodeToString([]byte(s)), base64.StdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s))}
	if strings.Count(s, ".") == 2 { // a token without its signature is none, the signature is
		all = append(all, s[strings.LastIndexByte(s, '.')+1:])
	}
	if len(s) == 9 && s[4] == '-' { // a user code is one without its dash, too
		all = append(all, strings.ReplaceAll(s, "-", ""), strings.ToLower(s))
	}
	return all
}

// everything is every value in a site's database, what is volatile included.
func (w *world) everything(t *testing.T, site string) []string {
	t.Helper()
	kept := volatile
	volatile = nil
	defer func() { volatile = kept }()
	return w.rows(t, site)
}

// files adds what the sites keep in their folder; keys, certificates and
// dev.json, which is there to hold passwords, stay out.
func (w *world) files(t *testing.T, places map[string][]byte, when string) {
	t.Helper()
	err := filepath.WalkDir(w.Folder, func(path string, d fs.DirEntry, err error) error {
		name := filepath.Base(path)
		if err != nil || d.IsDir() || name == "dev.json" || strings.HasSuffix(name, ".pem") || strings.HasSuffix(name, ".key") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			if os.IsNotExist(err) { // a WAL that has just been folded in
				return nil
			}
			return err
		}
		relative, _ := filepath.Rel(w.Folder, path)
		places[fmt.Sprint(relative, when)] = content
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
