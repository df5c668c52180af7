package sitetest

import (
	"bufio"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// raw sends bytes as they are to a site's public listener and reads one answer.
func (c *Client) raw(t *testing.T, site, request string) Answer {
	t.Helper()
	ca, err := os.ReadFile(c.File.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	address := net.JoinHostPort("localhost", strconv.Itoa(c.Site(site).Ports.Public))
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", address, &tls.Config{RootCAs: roots, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	a := Answer{Status: res.StatusCode, Header: res.Header, Body: body}
	c.note(a)
	return a
}

// recorded are requests for tokens as clients write them, line by line. {basic} is
// id:secret in base64, {basicEncoded} the same with both percent-encoded first,
// {org} an organization's id and {api} a user's API token.
var recorded = []struct {
	client, path string
	head         []string
	body         string
}{
	{"wavefront-sdk-java", "/auth/authorize", []string{
		"Authorization: Basic {basic}", "Content-Type: application/x-www-form-urlencoded", "Accept: application/json", "User-Agent: Java/11.0.20", "Connection: keep-alive",
	}, "grant_type=client_credentials"},
	{"wavefront-sdk-java with an organization", "/auth/authorize", []string{
		"Authorization: Basic {basic}", "Content-Type: application/x-www-form-urlencoded", "Accept: application/json", "User-Agent: Java/11.0.20", "Connection: keep-alive",
	}, "grant_type=client_credentials&orgId={org}"},
	{"wavefront-sdk-java with an API token", "/auth/api-tokens/authorize", []string{
		"Content-Type: application/x-www-form-urlencoded", "Accept: application/json", "User-Agent: Java/11.0.20", "Connection: keep-alive",
	}, "grant_type=api_token&refresh_token={api}"},
	{"wavefront-sdk-python", "/auth/authorize", []string{
		"User-Agent: python-requests/2.31.0", "Accept-Encoding: gzip, deflate", "Accept: */*", "Connection: keep-alive",
		"Content-Type: application/x-www-form-urlencoded", "Authorization: Basic {basic}",
	}, "grant_type=client_credentials&orgId={org}"},
	{"wavefront-sdk-python with an API token", "/auth/api-tokens/authorize", []string{
		"User-Agent: python-requests/2.31.0", "Accept-Encoding: gzip, deflate", "Accept: */*", "Connection: keep-alive", "Content-Type: application/x-www-form-urlencoded",
	}, "api_token={api}"},
	{"wavefront-sdk-go, whose base ends in a slash", "//auth/authorize", []string{
		"User-Agent: Go-http-client/1.1", "Authorization: Basic {basic}", "Content-Type: application/x-www-form-urlencoded", "Accept-Encoding: gzip",
	}, "grant_type=client_credentials"},
	{"wavefront-proxy", "/auth/authorize", []string{
		"Authorization: Basic {basic}", "Accept: application/json", "Content-Type: application/x-www-form-urlencoded", "User-Agent: Wavefront-Proxy", "Connection: Keep-Alive",
	}, "grant_type=client_credentials&orgId={org}"},
	{"wavefront-proxy with an API token", "/auth/api-tokens/authorize", []string{
		"Accept: application/json", "Content-Type: application/x-www-form-urlencoded", "User-Agent: Wavefront-Proxy", "Connection: Keep-Alive",
	}, "grant_type=api_token&api_token={api}"},
	{"terraform-provider-vmc", "/auth/token", []string{
		"User-Agent: Go-http-client/1.1", "Authorization: Basic {basicEncoded}", "Content-Type: application/x-www-form-urlencoded", "Accept-Encoding: gzip",
	}, "grant_type=client_credentials"},
	{"terraform-provider-vmc, found out by a second try", "/auth/token", []string{
		"User-Agent: Go-http-client/1.1", "Content-Type: application/x-www-form-urlencoded", "Accept-Encoding: gzip",
	}, "client_id={id}&client_secret={secret}&grant_type=client_credentials"},
	{"terraform-provider-vmc with an API token", "/auth/api-tokens/authorize", []string{
		"User-Agent: Go-http-client/1.1", "Content-Type: application/x-www-form-urlencoded", "Accept-Encoding: gzip",
	}, "refresh_token={api}"},
	{"terraform-provider-nsxt", "/auth/authorize", []string{
		"User-Agent: Go-http-client/1.1", "Authorization: Basic {basic}", "Content-Type: application/x-www-form-urlencoded", "Accept-Encoding: gzip",
	}, "grant_type=client_credentials"},
	{"terraform-provider-nsxt with an API token", "/auth/api-tokens/authorize", []string{
		"User-Agent: Go-http-client/1.1", "Content-Type: application/x-www-form-urlencoded", "Accept-Encoding: gzip",
	}, "refresh_token={api}"},
	{"an old client with the API token in the URL", "/auth/api-tokens/authorize?refresh_token={api}", []string{
		"User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip",
	}, ""},
	{"marketplace-cli", "/auth/api-tokens/authorize", []string{
		"User-Agent: Go-http-client/1.1", "Content-Type: application/x-www-form-urlencoded", "Accept-Encoding: gzip",
	}, "refresh_token={api}"},
	{"tanzu-cli", "/auth/api-tokens/authorize", []string{
		"User-Agent: Go-http-client/1.1", "Content-Type: application/x-www-form-urlencoded", "Accept: application/json", "Accept-Encoding: gzip",
	}, "refresh_token={api}"},
}

// What clients that were never changed send is taken, and they can read what they
// get.
func TestAppsRecordedClients(t *testing.T) {
	Each(t, func(t *testing.T, p *Pair) {
		a := newAcme(t, p)
		app, _ := a.AppWith(t, "aoa:superAdmin")
		api := a.apiToken(t, "recorded")
		words := strings.NewReplacer(
			"{basic}", base64.StdEncoding.EncodeToString([]byte(app.ID+":"+app.Secret)),
			"{basicEncoded}", base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(app.ID)+":"+url.QueryEscape(app.Secret))),
			"{org}", a.ID, "{api}", api, "{id}", app.ID, "{secret}", app.Secret,
		)
		user := a.Get(t, "west", CSP+"/loggedin/user", Bearer(a.Token)).Want(t, 200).String(t, "userId")
		a.Ask(t, "PATCH", "/users/"+user+"/roles", Change("rolesToAdd", "aoa:superAdmin")).Want(t, 200)
		for _, r := range recorded {
			t.Run("CSP-34 "+r.client, func(t *testing.T) {
				got := a.raw(t, "west", a.request(r.path, r.head, r.body, words))
				a.wantReadable(t, got.Want(t, http.StatusOK))
				want := any(nil)
				if strings.Contains(r.path+r.body, "{api}") {
					want = api
				}
				if refresh := got.JSON(t)["refresh_token"]; refresh != want {
					t.Errorf("refresh_token is %v", refresh)
				}
				a.may(t, got.String(t, "access_token"), toDashboards)
			})
		}
		t.Run("CSP-6 a proxy checks in", func(t *testing.T) { a.checkIn(t) })
		t.Run("CSP-34 terraform-provider-nsxt shows its token twice", func(t *testing.T) { a.twice(t, app) })
		t.Run("CSP-34 marketplace-cli verifies, and reads its error", func(t *testing.T) { a.verified(t, app) })
		t.Run("CSP-34 wavefront-sdk-go says gzip of what is not", func(t *testing.T) { a.plainGzip(t, app) })
	})
}

// request is a POST as it is on the wire.
func (a *acme) request(path string, head []string, body string, words *strings.Replacer) string {
	base := CSP
	if strings.HasPrefix(path, "//") {
		base, path = "/"+CSP, path[1:]
	}
	text := words.Replace(body)
	lines := []string{"POST " + base + words.Replace(path) + " HTTP/1.1", "Host: " + strings.TrimPrefix(a.Client.Site("west").API, "https://")}
	for _, h := range head {
		lines = append(lines, words.Replace(h))
	}
	return strings.Join(append(lines, "Content-Length: "+strconv.Itoa(len(text))), "\r\n") + "\r\n\r\n" + text
}

// wantReadable decodes an answer as the strictest of the clients do.
func (a *acme) wantReadable(t *testing.T, got Answer) {
	t.Helper()
	var java struct {
		Access  string  `json:"access_token"`
		ID      *string `json:"id_token"`
		Type    string  `json:"token_type"`
		Expires int     `json:"expires_in"`
		Scope   string  `json:"scope"`
		Refresh *string `json:"refresh_token"`
	}
	dec := json.NewDecoder(strings.NewReader(string(got.Body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&java); err != nil || java.Access == "" || java.Type != "bearer" || java.Expires < 60 {
		t.Errorf("not readable (%v): %s", err, got.Body)
	}
	if !strings.Contains(java.Scope, "aoa:superAdmin") {
		t.Errorf("the scope is %q", java.Scope)
	}
	if got.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") || got.Header.Get("Content-Encoding") != "" {
		t.Errorf("the head is %v", got.Header)
	}
	var tanzu struct {
		User  string   `json:"username"`
		Org   string   `json:"context_name"`
		Perms []string `json:"perms"`
		Exp   int64    `json:"exp"`
		Iat   int64    `json:"iat"`
	}
	if err := json.Unmarshal(segment(t, java.Access, 1), &tanzu); err != nil || tanzu.User == "" || tanzu.Org != a.ID || len(tanzu.Perms) == 0 {
		t.Errorf("the claims are %s (%v)", segment(t, java.Access, 1), err)
	}
	if life := tanzu.Exp - tanzu.Iat; life != int64(java.Expires) {
		t.Errorf("the token lives %d s, the answer says %d", life, java.Expires)
	}
}

// checkIn is what a proxy does: it exchanges its credentials, checks in, and sends.
func (a *acme) checkIn(t *testing.T) {
	app, _ := a.AppWith(t, "aoa:proxies")
	got := a.Exchange(t, "west", app, "orgId", a.ID).Want(t, 200).String(t, "access_token")
	for _, call := range []string{
		"POST /api/v2/wfproxy/checkin?proxyId=8b1e&hostname=h&version=13.4&currentMillis=1&local=false&ephemeral=true", "POST /api/v2/wfproxy/report?format=wavefront&proxyId=8b1e",
		"POST /api/v2/wfproxy/config/processed?proxyId=8b1e", "POST /api/daemon/8b1e/config", "POST /api/daemon/8b1e/checkin",
	} {
		a.may(t, got, call)
	}
	_, other := a.AppWith(t, "aoa:dashboards", "aoa:metrics", "aoa:directDataIngestion")
	a.mayNot(t, other, "POST /api/v2/wfproxy/checkin", "POST /api/daemon/8b1e/config")
}

func (a *acme) twice(t *testing.T, app App) {
	token := a.TokenOf(t, app)
	text := "GET " + a.in.Prefix + "/api/v2/dashboard HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Go-http-client/1.1\r\n" +
		"csp-auth-token: " + token + "\r\nAuthorization: Bearer " + token + "\r\nAccept-Encoding: gzip\r\n\r\n"
	a.in.Taken()
	a.raw(t, "west", text).Want(t, http.StatusAccepted)
	for _, r := range a.in.Taken() {
		if r.Header.Get("Csp-Auth-Token") != "" || r.Header.Get("Authorization") != "" {
			t.Errorf("the token reached the instance: %v", r.Header)
		}
	}
}

func (a *acme) verified(t *testing.T, app App) {
	var key struct {
		Algorithm string `json:"alg"`
		Issuer    string `json:"issuer"`
		Value     string `json:"value"`
	}
	if err := json.Unmarshal(a.Get(t, "west", CSP+"/auth/token-public-key", nil).Want(t, 200).Body, &key); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(key.Value))
	if block == nil {
		t.Fatalf("no PEM: %q", key.Value)
	}
	verifies(t, block.Bytes, a.TokenOf(t, app))
	bad := a.raw(t, "west", a.request("/auth/api-tokens/authorize", []string{"Content-Type: application/x-www-form-urlencoded"}, "refresh_token=not-a-token-abcde", strings.NewReplacer()))
	WantCSPError(t, bad, http.StatusBadRequest)
	if !strings.Contains(bad.String(t, "message"), "invalid_grant: Invalid refresh token") {
		t.Errorf("the message is %q", bad.String(t, "message"))
	}
}

func (a *acme) plainGzip(t *testing.T, app App) {
	const event = `{"name":"deployed","annotations":{},"hosts":["here"],"startTime":1,"endTime":2}`
	a.in.Taken()
	h := Bearer(a.TokenOf(t, app), "Content-Type", "application/json", "Content-Encoding", "gzip")
	a.Do(t, "POST", a.Client.Site("west").API+a.in.Prefix+"/api/v2/event", h, strings.NewReader(event)).Want(t, 202)
	got := a.in.Taken()
	if len(got) == 0 || string(got[len(got)-1].Body) != event || got[len(got)-1].Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("the instance got %+v", got)
	}
}

// verifies checks a token by a key as a library for RSA would.
func verifies(t *testing.T, der []byte, token string) {
	t.Helper()
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		t.Fatalf("the key is %T", public)
	}
	head, _, _ := strings.Cut(token, ".")
	signed := token[:strings.LastIndexByte(token, '.')]
	digest := sha256.Sum256([]byte(signed))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], segment(t, token, 2)); err != nil {
		t.Errorf("the token with head %s does not verify: %v", head, err)
	}
}
