package apiclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"causeway/internal/httpapi"
	"causeway/internal/secret"
	"causeway/internal/version"
)

const (
	// timeout bounds one exchange, in which a peer may be asked.
	timeout = 60 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes: a page of 128 objects
	// is well below.
	maxAnswer = 16 << 20
	// System is the name of the provider's organization.
	System = "System"
)

// Config says which site to speak to, and as whom. Either Access or User and
// Password say who asks; Access comes first.
type Config struct {
	// URL is https://host[:port]. A trailing /api, as VCD's clients write it, is
	// taken off.
	URL string
	// CAFile holds the certificates to trust instead of the system's, PEM.
	CAFile   string
	Org      string
	User     string
	Password secret.Text
	// Access is an access token that came another way than by a login. Its session
	// is not ended.
	Access secret.Text
}

// Client speaks to one site in one session. Close ends what Open began.
type Client struct {
	base   string
	org    string
	http   *http.Client
	access secret.Text
	began  bool   // the session is ours to end
	tenant string // in which it acts, if not its own
}

// Open connects and logs in.
func Open(ctx context.Context, c Config) (*Client, error) {
	base, err := BaseURL(c.URL)
	if err != nil {
		return nil, err
	}
	speaker, err := HTTP(c.CAFile)
	if err != nil {
		return nil, err
	}
	client := &Client{base: base, org: c.Org, http: speaker, access: c.Access}
	if client.org == "" {
		client.org = System
	}
	if c.Access != "" {
		return client, nil
	}
	if err := client.login(ctx, c.User, c.Password); err != nil {
		speaker.CloseIdleConnections()
		return nil, err
	}
	return client, nil
}

// BaseURL is https://host[:port] of what people give as a site's address.
func BaseURL(given string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(strings.TrimRight(given, "/"), "/api"))
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
		return "", errors.New("the site's URL must be https://host[:port]")
	}
	return u.String(), nil
}

func trusting(caFile string) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	return t, nil
}

func userAgent() string { return "causeway/" + version.Get().Version }

// Realm is the path of an organization's OAuth endpoints.
func Realm(org string) string {
	if strings.EqualFold(org, System) {
		return "/oauth/provider"
	}
	return "/oauth/tenant/" + url.PathEscape(org)
}

func (c *Client) login(ctx context.Context, user string, password secret.Text) error {
	path := "/cloudapi/1.0.0/sessions"
	if strings.EqualFold(c.org, System) {
		path += "/provider"
	}
	r, err := c.request(ctx, http.MethodPost, path, nil)
	if err != nil {
		return err
	}
	r.SetBasicAuth(user+"@"+c.org, password.Reveal())
	header, _, err := c.send(r)
	if err != nil {
		return fmt.Errorf("log in as %s of %s: %w", user, c.org, err)
	}
	c.access, c.began = secret.Text(header.Get(httpapi.HeaderAccessToken)), true
	if c.access == "" {
		return errors.New("the login was answered without an access token: is this a Causeway site?")
	}
	return nil
}

// Close ends the session, if Open began it by a password. It has a few seconds
// of its own: the command may just have been interrupted.
func (c *Client) Close() error {
	defer c.http.CloseIdleConnections()
	if !c.began {
		return nil
	}
	c.began = false
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := c.Do(ctx, http.MethodDelete, "/cloudapi/1.0.0/sessions/current", nil, nil)
	if Refused(err, http.StatusUnauthorized) { // over already: the command may have ended it
		return nil
	}
	return err
}

// Access is the session's access token, for whoever keeps it.
func (c *Client) Access() secret.Text { return c.access }

// Keep has the session go on after Close.
func (c *Client) Keep() { c.began = false }

// End ends the session, whoever began it, and closes.
func (c *Client) End() error {
	c.began = true
	return c.Close()
}

// Base is https://host[:port] of the site.
func (c *Client) Base() string { return c.base }

// Org is the organization of the session.
func (c *Client) Org() string { return c.org }

// Do sends body, if any, as JSON and reads the answer into out, if any. What the
// site refuses is an [*Error].
func (c *Client) Do(ctx context.Context, method, path string, body, out any) error {
	var reader io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(b)
	}
	r, err := c.request(ctx, method, path, reader)
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return c.exchange(r, out)
}

func (c *Client) exchange(r *http.Request, out any) error {
	_, body, err := c.send(r)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s %s: the answer cannot be read: %w", r.Method, r.URL.Path, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", userAgent())
	if c.access != "" {
		r.Header.Set("Authorization", "Bearer "+c.access.Reveal())
	}
	if c.tenant != "" {
		r.Header.Set(httpapi.HeaderTenantContext, c.tenant)
	}
	return r, nil
}

func (c *Client) send(r *http.Request) (http.Header, []byte, error) {
	res, err := c.http.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, nil, err
	case len(body) > maxAnswer:
		return nil, nil, errors.New("the answer is too long")
	case res.StatusCode == http.StatusSeeOther && r.Context().Value(redirected{}) != nil:
		return res.Header, body, nil
	case res.StatusCode >= http.StatusMultipleChoices:
		return nil, nil, refusal(res, body)
	}
	return res.Header, body, nil
}

// Get reads what is no JSON.
func (c *Client) Get(ctx context.Context, path, accept string) ([]byte, error) {
	r, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", accept)
	_, body, err := c.send(r)
	return body, err
}

// Post sends what is no JSON. Nothing is read of the answer but whether it is good.
func (c *Client) Post(ctx context.Context, path, contentType string, body []byte) error {
	r, err := c.request(ctx, http.MethodPost, path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/*+xml")
	r.Header.Set("Content-Type", contentType)
	_, _, err = c.send(r)
	return err
}

// DoText is Do for a body that is text of a type.
func (c *Client) DoText(ctx context.Context, method, path, contentType string, text []byte, out any) error {
	r, err := c.request(ctx, method, path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", contentType)
	return c.exchange(r, out)
}

// In has the requests that follow made in another organization than the session's,
// which providers may: id is its URN. Empty is the session's own again.
func (c *Client) In(id string) { c.tenant = id[strings.LastIndexByte(id, ':')+1:] }

// Seen is Do for what is answered by a redirect whose body counts, as a device
// lookup is. Nobody follows it.
func (c *Client) Seen(ctx context.Context, path string, body, out any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := c.request(ctx, http.MethodPost, path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	return c.exchange(r.WithContext(context.WithValue(ctx, redirected{}, true)), out)
}

// redirected marks the context of a request whose redirect is its answer.
type redirected struct{}

// FetchToken gets a user's API token that was just created: who is logged in owns it,
// and there is no second time. id is its client id.
func (c *Client) FetchToken(ctx context.Context, id string) (secret.Text, error) {
	form := url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "client_id": {id}, "assertion": {c.access.Reveal()},
	}
	r, err := c.request(ctx, http.MethodPost, Realm(c.org)+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Del("Authorization")
	var said struct {
		Refresh string `json:"refresh_token"`
	}
	err = c.exchange(r, &said)
	if err == nil && said.Refresh == "" {
		err = errors.New("the site gave no token")
	}
	return secret.Text(said.Refresh), err
}
