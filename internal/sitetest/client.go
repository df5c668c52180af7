package sitetest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"causeway/internal/dev"
)

// Client speaks HTTPS to the sites of a dev.json, whoever runs them.
type Client struct {
	File   *dev.File
	http   *http.Client
	mu     sync.Mutex
	issued map[string]bool
	pages  []byte // heads and bodies of the refusals
}

// NewClient trusts the file's CA and nothing else.
func NewClient(t testing.TB, f *dev.File) *Client {
	t.Helper()
	return &Client{File: f, http: Trusting(t, f.CA), issued: map[string]bool{}}
}

// Trusting is an HTTP client that trusts the CA in a file and nothing else, and
// follows no redirect.
func Trusting(t testing.TB, caFile string) *http.Client {
	t.Helper()
	client, err := trusting(caFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func trusting(caFile string) (*http.Client, error) {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("the CA file holds no certificate")
	}
	return &http.Client{
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 64}, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// Answer is a response read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON decodes the body.
func (a Answer) JSON(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(a.Body, &m); err != nil {
		t.Fatalf("status %d, body is no JSON object: %v\n%s", a.Status, err, a.Body)
	}
	return m
}

// String gets a member of a JSON body, "" if it is absent or no text.
func (a Answer) String(t testing.TB, member string) string {
	t.Helper()
	s, _ := a.JSON(t)[member].(string)
	return s
}

// Want fails the test unless the status is this one.
func (a Answer) Want(t testing.TB, status int) Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d\n%s", a.Status, status, a.Body)
	}
	return a
}

// Do sends a request. header may be nil.
func (c *Client) Do(t testing.TB, method, url string, header http.Header, body io.Reader) Answer {
	t.Helper()
	a, err := c.Try(method, url, header, body)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Try is Do for requests that may find nobody.
func (c *Client) Try(method, url string, header http.Header, body io.Reader) (Answer, error) {
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		return Answer{}, err
	}
	maps.Copy(r.Header, header)
	res, err := c.http.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	a := Answer{Status: res.StatusCode, Header: res.Header, Body: b}
	c.note(a)
	return a, err
}

// note remembers what must never be seen again outside an answer.
func (c *Client) note(a Answer) {
	var secrets struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		DeviceCode   string `json:"device_code"`
		UserCode     string `json:"user_code"`
		ClientSecret string `json:"clientSecret"`
		HookSecret   string `json:"hookSecret"`
	}
	_ = json.Unmarshal(a.Body, &secrets) // most answers hold none
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.Status >= http.StatusBadRequest {
		c.pages = append(fmt.Append(c.pages, a.Status, a.Header, "\n"), a.Body...)
	}
	for _, s := range []string{secrets.AccessToken, secrets.RefreshToken, secrets.DeviceCode, secrets.UserCode, secrets.ClientSecret, secrets.HookSecret, a.Header.Get(accessToken), a.Header.Get(legacyToken)} {
		if s != "" {
			c.issued[s] = true
		}
	}
}

// Issued lists every token and code that this client was given.
func (c *Client) Issued() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Keys(c.issued))
}

// Refusals are the heads and bodies of all refusals so far.
func (c *Client) Refusals() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.pages)
}

// Hangup closes connections that are not in use.
func (c *Client) Hangup() { c.http.CloseIdleConnections() }

// Eventually asks until the answer is yes.
func Eventually(t testing.TB, within time.Duration, what string, ask func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !ask(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

// Site is one of the sites in dev.json.
func (c *Client) Site(name string) *dev.SiteFile { return c.File.Site(name) }
