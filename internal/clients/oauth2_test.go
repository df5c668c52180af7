package clients

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// realm is an organization at west as a plain OAuth client sees it: an
// administrator with a session, a new service account, and the library's
// configuration for it.
type realm struct {
	ctx     context.Context // carries the client that trusts the CA, as x/oauth2 wants it
	api     string
	admin   string // access token
	account string // client id
	config  oauth2.Config
}

func newRealm(t *testing.T, f file, name string) *realm {
	t.Helper()
	acme := f.Sites[0].Organizations[0]
	client := trusting(t, f.CA)
	r := &realm{ctx: context.WithValue(t.Context(), oauth2.HTTPClient, client), api: f.Sites[0].API}
	login, err := http.NewRequest(http.MethodPost, r.api+"/cloudapi/1.0.0/sessions", nil)
	must(t, err)
	login.SetBasicAuth(acme.Admin.User+"@"+acme.Name, acme.Admin.Password)
	res, err := client.Do(login)
	must(t, err)
	res.Body.Close()
	r.admin = res.Header.Get("X-VMWARE-VCLOUD-ACCESS-TOKEN")
	issuer := r.api + "/oauth/tenant/" + url.PathEscape(acme.Name)
	var made struct {
		ID string `json:"client_id"`
	}
	r.call(t, issuer+"/register", map[string]string{"client_name": name, "software_id": "12345678-1234-1234-1234-1234567890ab",
		"scope": "urn:vcloud:role:Inventory%20Operator"}, &made)
	r.account = made.ID
	r.config = oauth2.Config{ClientID: r.account, Endpoint: oauth2.Endpoint{
		DeviceAuthURL: issuer + "/device_authorization", TokenURL: issuer + "/token", AuthStyle: oauth2.AuthStyleInParams,
	}}
	return r
}

func trusting(t *testing.T, file string) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(get(os.ReadFile(file))(t)) {
		t.Fatal("the CA file holds no certificate")
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, Timeout: 30 * time.Second}
}

func (r *realm) http() *http.Client { return r.ctx.Value(oauth2.HTTPClient).(*http.Client) }

// call posts JSON as the administrator.
func (r *realm) call(t *testing.T, url string, body, answer any) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(string(get(json.Marshal(body))(t))))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+r.admin)
	res, err := r.http().Do(req)
	must(t, err)
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		t.Fatalf("%s: status %d", url, res.StatusCode)
	}
	if answer != nil {
		must(t, json.NewDecoder(res.Body).Decode(answer))
	}
}

// ask starts a device grant whose first poll comes after a second. The site
// allows that: it judges a poll by the one before it.
func (r *realm) ask(t *testing.T) *oauth2.DeviceAuthResponse {
	t.Helper()
	d := get(r.config.DeviceAuth(r.ctx))(t)
	if d.Interval != 60 || time.Until(d.Expiry) < 59*time.Minute || d.VerificationURIComplete != "" || !strings.HasPrefix(d.VerificationURI, r.api) {
		t.Errorf("the request is %+v", d)
	}
	d.Interval = 1
	return d
}

// decide grants or denies: what is "/grant" or "/deny".
func (r *realm) decide(t *testing.T, what, userCode string) {
	t.Helper()
	r.call(t, r.api+"/cloudapi/1.0.0/deviceLookup"+what, map[string]string{"userCode": userCode}, nil)
}

// works calls the sample service with what the library's client sends.
func (r *realm) works(t *testing.T, source oauth2.TokenSource) {
	t.Helper()
	res := get(oauth2.NewClient(r.ctx, source).Get(r.api + "/sample/inventory"))(t)
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("the token opens nothing: status %d", res.StatusCode)
	}
}

func wantError(t *testing.T, err error, code string) {
	t.Helper()
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.ErrorCode != code || refused.ErrorDescription == "" || refused.Response.StatusCode != http.StatusBadRequest {
		t.Errorf("got %v, want %s", err, code)
	}
}

// counting tells when the second answer has come.
type counting struct {
	http.RoundTripper
	answers int
	second  chan struct{}
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.RoundTripper.RoundTrip(r)
	if c.answers++; c.answers == 2 {
		close(c.second)
	}
	return res, err
}

// TestXOAuth2 runs golang.org/x/oauth2, unmodified.
func TestXOAuth2(t *testing.T) {
	f := start(t)
	t.Run("VCD-72 VCD-81 device grant, and R3 several rotations", func(t *testing.T) {
		t.Parallel()
		r := newRealm(t, f, "x-oauth2")
		d := r.ask(t)
		r.decide(t, "/grant", d.UserCode)
		token := get(r.config.DeviceAccessToken(r.ctx, d))(t)
		r.works(t, oauth2.StaticTokenSource(token))
		seen := map[string]bool{token.RefreshToken: true}
		for range 4 {
			token.Expiry = time.Now().Add(-time.Hour) // as if the session had ended
			source := r.config.TokenSource(r.ctx, token)
			next := get(source.Token())(t)
			if seen[next.RefreshToken] || time.Until(next.Expiry) < 24*time.Hour || next.Type() != "Bearer" {
				t.Fatalf("refreshed to %+v", next)
			}
			r.works(t, source)
			seen[next.RefreshToken], token = true, next
		}
		_, err := r.config.DeviceAccessToken(r.ctx, d)
		wantError(t, err, "invalid_grant") // the device code is spent
		r.call(t, r.api+"/cloudapi/1.0.0/serviceAccounts/urn:vcloud:serviceAccount:"+r.account+"/revoke", nil, nil)
		token.Expiry = time.Now().Add(-time.Hour)
		_, err = r.config.TokenSource(r.ctx, token).Token()
		wantError(t, err, "invalid_grant")
	})
	t.Run("VCD-78 its loop hears authorization_pending and slow_down", func(t *testing.T) {
		t.Parallel()
		r := newRealm(t, f, "x-oauth2-slow")
		d := r.ask(t)
		polls := &counting{RoundTripper: r.http().Transport, second: make(chan struct{})}
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, &http.Client{Transport: polls})
		began, ended := time.Now(), make(chan error)
		go func() {
			_, err := r.config.DeviceAccessToken(ctx, d)
			ended <- err
		}()
		<-polls.second
		r.decide(t, "/grant", d.UserCode)
		must(t, <-ended)
		if took := time.Since(began); took < 7*time.Second {
			t.Errorf("it polled again after %s: was slow_down not said?", took)
		}
	})
	t.Run("VCD-80 denied", func(t *testing.T) {
		t.Parallel()
		r := newRealm(t, f, "x-oauth2-denied")
		d := r.ask(t)
		r.decide(t, "/deny", d.UserCode)
		_, err := r.config.DeviceAccessToken(r.ctx, d)
		wantError(t, err, "access_denied")
	})
	t.Run("another organization", func(t *testing.T) {
		t.Parallel()
		r := newRealm(t, f, "x-oauth2-elsewhere")
		d := r.ask(t)
		r.decide(t, "/grant", d.UserCode)
		token := get(r.config.DeviceAccessToken(r.ctx, d))(t)
		elsewhere := r.config
		elsewhere.Endpoint.DeviceAuthURL = r.api + "/oauth/provider/device_authorization"
		elsewhere.Endpoint.TokenURL = r.api + "/oauth/provider/token"
		_, err := elsewhere.DeviceAuth(r.ctx)
		wantError(t, err, "invalid_client")
		token.Expiry = time.Now().Add(-time.Hour)
		_, err = elsewhere.TokenSource(r.ctx, token).Token()
		wantError(t, err, "invalid_grant")
		r.works(t, r.config.TokenSource(r.ctx, token)) // the attempt cost nothing
	})
}
