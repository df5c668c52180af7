package sitetest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// System is the name of the provider's organization.
const System = "System"

// The headers in which a login hands out its tokens.
const (
	accessToken = "X-VMWARE-VCLOUD-ACCESS-TOKEN"
	legacyToken = "X-Vcloud-Authorization"
)

// DeviceGrant is the grant_type of a poll.
const DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// Realm is the path of an organization's OAuth endpoints.
func Realm(org string) string {
	if org == System {
		return "/oauth/provider"
	}
	return "/oauth/tenant/" + url.PathEscape(org)
}

// Bearer is the header that carries an access token, and more pairs of header
// names and values.
func Bearer(token string, more ...string) http.Header {
	h := http.Header{"Authorization": {"Bearer " + token}}
	for i := 0; i+1 < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}
	return h
}

// Login logs in a person and returns the access token. org "System" logs in a
// provider.
func (c *Client) Login(t testing.TB, site, org string) string {
	t.Helper()
	a, err := c.TryLogin(site, org)
	if err != nil {
		t.Fatal(err)
	}
	token := a.Want(t, http.StatusOK).Header.Get(accessToken)
	if token == "" {
		t.Fatal("the login answered without an access token")
	}
	return token
}

// TryLogin is Login as it is answered.
func (c *Client) TryLogin(site, org string) (Answer, error) {
	s := c.Site(site)
	login, path := s.Admin, "/cloudapi/1.0.0/sessions/provider"
	if org != System {
		login, path = s.Org(org).Admin, "/cloudapi/1.0.0/sessions"
	}
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(login.User+"@"+org, login.Password)
	return c.Try(http.MethodPost, s.API+path, r.Header, nil)
}

// Get and Post call a path of a site. A body is sent as JSON.
func (c *Client) Get(t testing.TB, site, path string, header http.Header) Answer {
	t.Helper()
	return c.Do(t, http.MethodGet, c.Site(site).API+path, header, nil)
}

func (c *Client) Post(t testing.TB, site, path string, header http.Header, body any) Answer {
	t.Helper()
	return c.send(t, http.MethodPost, site, path, header, body)
}

func (c *Client) Put(t testing.TB, site, path string, header http.Header, body any) Answer {
	t.Helper()
	return c.send(t, http.MethodPut, site, path, header, body)
}

func (c *Client) send(t testing.TB, method, site, path string, header http.Header, body any) Answer {
	t.Helper()
	a, err := c.TrySend(method, site, path, header, body)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TrySend sends body, if any, as JSON.
func (c *Client) TrySend(method, site, path string, header http.Header, body any) (Answer, error) {
	if body == nil {
		return c.Try(method, c.Site(site).API+path, header, nil)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return Answer{}, err
	}
	return c.Try(method, c.Site(site).API+path, header, strings.NewReader(string(b)))
}

// Form posts a form to an OAuth endpoint, as an app without credentials does.
// pairs are names and values.
func (c *Client) Form(t testing.TB, site, org, endpoint string, pairs ...string) Answer {
	t.Helper()
	a, err := c.TryForm(site, org, endpoint, pairs...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TryForm is Form for sites that may be down.
func (c *Client) TryForm(site, org, endpoint string, pairs ...string) (Answer, error) {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return c.Try(http.MethodPost, c.Site(site).API+Realm(org)+"/"+endpoint,
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, strings.NewReader(form.Encode()))
}

// Ask starts a device grant.
func (c *Client) Ask(t testing.TB, site, org, clientID string) Answer {
	t.Helper()
	return c.Form(t, site, org, "device_authorization", "client_id", clientID)
}

// Poll polls with a device code.
func (c *Client) Poll(t testing.TB, site, org, clientID, deviceCode string) Answer {
	t.Helper()
	return c.Form(t, site, org, "token", "grant_type", DeviceGrant, "client_id", clientID, "device_code", deviceCode)
}

// Refresh presents a refresh token.
func (c *Client) Refresh(t testing.TB, site, org, token string) Answer {
	t.Helper()
	return c.Form(t, site, org, "token", "grant_type", "refresh_token", "refresh_token", token)
}

// Decide looks a user code up, grants or denies it: what is "", "/grant" or
// "/deny".
func (c *Client) Decide(t testing.TB, site, token, what, userCode string) Answer {
	t.Helper()
	return c.Post(t, site, "/cloudapi/1.0.0/deviceLookup"+what, Bearer(token), map[string]string{"userCode": userCode})
}

// Register creates a service account and returns its client id.
func (c *Client) Register(t testing.TB, site, org, token, name, softwareID, role string) string {
	t.Helper()
	return c.Post(t, site, Realm(org)+"/register", Bearer(token), map[string]string{
		"client_name": name, "software_id": softwareID, "scope": "urn:vcloud:role:" + url.PathEscape(role),
		"client_uri": "", "software_version": "1.0",
	}).Want(t, http.StatusCreated).String(t, "client_id")
}

// Accounts is the path of the service accounts, or of one of them.
func Accounts(clientID string) string {
	if clientID == "" {
		return "/cloudapi/1.0.0/serviceAccounts"
	}
	return "/cloudapi/1.0.0/serviceAccounts/urn:vcloud:serviceAccount:" + clientID
}

// Account finds a service account by name: its client id, and its JSON.
func (c *Client) Account(t testing.TB, site, token, name string) (clientID string, account map[string]any) {
	t.Helper()
	a := c.Get(t, site, Accounts("")+"?filter=name=="+url.QueryEscape(name), Bearer(token)).Want(t, http.StatusOK)
	values, _ := a.JSON(t)["values"].([]any)
	if len(values) != 1 {
		t.Fatalf("%d accounts named %s", len(values), name)
	}
	account, _ = values[0].(map[string]any)
	urn, _ := account["id"].(string)
	return urn[strings.LastIndexByte(urn, ':')+1:], account
}

// Connect runs the device grant for an account and returns its tokens.
func (c *Client) Connect(t testing.TB, site, org, clientID string) (access, refresh string) {
	t.Helper()
	return c.ConnectAs(t, site, org, c.Login(t, site, org), clientID)
}

// ConnectAs is Connect for an administrator who is logged in already.
func (c *Client) ConnectAs(t testing.TB, site, org, admin, clientID string) (access, refresh string) {
	t.Helper()
	d := c.Ask(t, site, org, clientID).Want(t, http.StatusOK)
	c.Decide(t, site, admin, "/grant", d.String(t, "user_code")).Want(t, http.StatusNoContent)
	tokens := c.Poll(t, site, org, clientID, d.String(t, "device_code")).Want(t, http.StatusOK)
	return tokens.String(t, "access_token"), tokens.String(t, "refresh_token")
}

// Revoke ends an account's token and sessions.
func (c *Client) Revoke(t testing.TB, site, token, clientID string) {
	t.Helper()
	c.Post(t, site, Accounts(clientID)+"/revoke", Bearer(token), nil).Want(t, http.StatusNoContent)
}
