package gateway_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
)

// appSecrets is the life of a server-to-server app: what it is given, what it shows
// at the right places and at wrong ones, and what others try.
func (w *world) appSecrets(t *testing.T, admin string, keep func(name, value string) string) {
	t.Helper()
	c, org := w.c, httpapi.CSPBase+"/orgs/"+strings.TrimPrefix(w.c.Site("west").Org("acme").ID, "urn:vcloud:org:")
	const authorize = httpapi.CSPBase + "/auth/authorize"
	request := map[string]any{
		"displayName": "Shipper", "description": "", "grantTypes": []string{"client_credentials"},
		"allowedScopes": map[string]any{"organizationScopes": map[string]any{"allRoles": true}},
	}
	made := c.Post(t, "west", org+"/oauth-apps", sitetest.Bearer(admin), request).Want(t, 200)
	id, key := made.String(t, "clientId"), keep("secret of an app", made.String(t, "clientSecret"))
	c.Post(t, "west", org+"/clients", sitetest.Bearer(admin), map[string]any{
		"ids": []string{id}, "organizationRoles": []map[string]string{{"name": "org_member"}},
	}).Want(t, 200)
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	exchange := func(key, path, body string) sitetest.Answer {
		h := form.Clone()
		h.Set("Authorization", "Basic "+keep("login of an app with "+key[:6], base64.StdEncoding.EncodeToString([]byte(id+":"+key))))
		return w.do(t, "west", "POST", path, h, body)
	}
	token := keep("access token of an app", exchange(key, authorize, "grant_type=client_credentials").Want(t, 200).String(t, "access_token"))

	// Where they do not belong.
	exchange(keep("wrong secret", "wrong-secret-of-some-app-or-another"), authorize, "grant_type=client_credentials").Want(t, 401)
	exchange(key, authorize+"?client_secret="+key, "grant_type=client_credentials").Want(t, 400)
	exchange(key, authorize, "grant_type="+key).Want(t, 400)
	exchange(key, authorize, "grant_type=client_credentials&orgId="+key).Want(t, 403)
	w.do(t, "west", "POST", authorize, form, "grant_type=client_credentials&client_id="+key+"&client_secret="+key).Want(t, 401)
	w.do(t, "west", "GET", org+"/oauth-apps/"+key, sitetest.Bearer(admin), "").Want(t, 404)
	w.do(t, "west", "GET", org+"/oauth-apps", sitetest.Bearer(key), "").Want(t, 401)
	w.do(t, "west", "POST", httpapi.CSPBase+"/auth/api-tokens/authorize?refresh_token="+key, nil, "").Want(t, 400)
	c.Post(t, "west", httpapi.CSPBase+"/auth/api-tokens/details", nil, map[string]string{"tokenValue": token}).Want(t, 400)
	w.do(t, "west", "POST", httpapi.CSPBase+"/auth/introspect", form, "token="+token+"&client_id="+id+"&client_secret="+key).Want(t, 200)
	request["id"], request["secret"] = id, keep("secret of an app that was not made", "not-made-secret-0123456789-abcdefgh")
	c.Post(t, "west", org+"/oauth-apps", sitetest.Bearer(admin), request).Want(t, 409)

	// Replaced.
	another := keep("chosen secret", "chosen-secret-0123456789-abcdefghij")
	c.Post(t, "west", org+"/oauth-apps/"+id+"/secret", sitetest.Bearer(admin), map[string]string{"newClientSecret": another}).Want(t, 200)
	keep("access token of the chosen secret", exchange(another, authorize, "grant_type=client_credentials").Want(t, 200).String(t, "access_token"))
	fresh := c.Put(t, "west", org+"/oauth-apps/"+id+"/secret", sitetest.Bearer(admin), map[string]any{}).Want(t, 200)
	keep("regenerated secret", fresh.String(t, "clientSecret"))
	w.do(t, "west", "DELETE", org+"/oauth-apps/"+id, sitetest.Bearer(admin), "").Want(t, 204)
}
