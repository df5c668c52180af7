package sitetest

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Instance is an instance of Operations for Applications, which keeps what reaches
// it.
type Instance struct {
	ID     string // bare
	Site   string // name
	Prefix string

	mu    sync.Mutex
	got   []Received
	serve http.HandlerFunc
}

// Received is a request as an instance saw it.
type Received struct {
	Method, URI string
	Header      http.Header
	Body        []byte
}

// NewInstance makes an instance of an organization, by the provider. mode is
// onboarded or original. pairs are members beside, or instead.
func (c *Client) NewInstance(t testing.TB, site, org, name, mode string, pairs ...any) *Instance {
	t.Helper()
	in := &Instance{Site: site, Prefix: "/" + name}
	behind := httptest.NewServer(in)
	t.Cleanup(behind.Close)
	body := map[string]any{
		"orgId": c.Site(site).Org(org).ID, "serviceDefinitionId": Operations, "name": name, "mode": mode,
		"prefix": in.Prefix, "upstreams": []string{behind.URL},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		body[pairs[i].(string)] = pairs[i+1]
	}
	made := c.Post(t, site, "/cloudapi/causeway/1.0.0/serviceInstances", Bearer(c.Login(t, site, System)), body).Want(t, http.StatusCreated)
	id := made.String(t, "id")
	in.ID = id[strings.LastIndexByte(id, ':')+1:]
	return in
}

// ServeHTTP is the instance itself.
func (in *Instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // broken off
	}
	in.mu.Lock()
	in.got = append(in.got, Received{r.Method, r.URL.RequestURI(), r.Header, body})
	serve := in.serve
	in.mu.Unlock()
	if serve != nil {
		serve(w, r)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// Serve has the instance answer otherwise than with 202.
func (in *Instance) Serve(f http.HandlerFunc) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.serve = f
}

// Taken are the requests since the last look.
func (in *Instance) Taken() []Received {
	in.mu.Lock()
	defer in.mu.Unlock()
	got := in.got
	in.got = nil
	return got
}

// Call calls the instance through the gateway of a site. call is a method and a path
// as the instance has it.
func (c *Client) Call(t testing.TB, in *Instance, call, token string, context ...string) Answer {
	t.Helper()
	return c.CallAt(t, in.Site, in, call, Bearer(token, context...))
}

// CallAt is Call through another site, or with other headers.
func (c *Client) CallAt(t testing.TB, site string, in *Instance, call string, header http.Header) Answer {
	t.Helper()
	method, path, _ := strings.Cut(call, " ")
	return c.Do(t, method, c.Site(site).API+in.Prefix+path, header, nil)
}

func segment(t testing.TB, token string, i int) []byte {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%.20s… is no JWT", token)
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	return b
}
