package sitetest

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"causeway/internal/config"
	"causeway/internal/store/storetest"
)

// spans is a collector of OpenTelemetry's, as far as it takes what is sent.
type spans struct {
	mu      sync.Mutex
	raw     []byte // all that came, readable
	all     []*span
	headers []http.Header
}

type span struct {
	*trace.Span
	site string
}

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(unzipped)
	var sent collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(body, &sent) != nil || r.URL.Path != "/v1/traces" {
		http.Error(w, "these are no traces", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw, s.headers = append(s.raw, body...), append(s.headers, r.Header)
	for _, of := range sent.ResourceSpans {
		site := ""
		for _, a := range of.Resource.Attributes {
			if a.Key == "causeway.site.name" {
				site = a.Value.GetStringValue()
			}
		}
		for _, scope := range of.ScopeSpans {
			for _, one := range scope.Spans {
				s.all = append(s.all, &span{one, site})
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf") // an empty message
}

// of is the only step of a trace by that name and site, below parent.
func (s *spans) of(t *testing.T, traceID, site, name string, parent []byte) *span {
	t.Helper()
	var found []*span
	for _, one := range s.all {
		if hex.EncodeToString(one.TraceId) == traceID && one.site == site && one.Name == name && bytes.Equal(one.ParentSpanId, parent) {
			found = append(found, one)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d steps %q at %s below %x in the trace %s", len(found), name, site, parent, traceID)
	}
	return found[0]
}

func (s *span) attribute(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// said are the keys of everything that a span may say.
var said = map[string]bool{
	"http.request.method": true, "http.route": true, "http.response.status_code": true, "db.operation.name": true, "causeway.request_id": true,
	"causeway.organization.id": true, "causeway.peer.site": true, "causeway.problem": true, "causeway.rows": true,
}

const (
	clientTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	clientSpan  = "00f067aa0ba902b7"
	forgedTrace = "deadbeefdeadbeefdeadbeefdeadbeef"
	forged      = "00-" + forgedTrace + "-00f067aa0ba902b7-01"
)

// TestTrace_R12 follows a request from a client through two sites to an instance, and
// looks for what must not be in a trace in all that was sent.
func TestTrace_R12(t *testing.T) {
	took := &spans{}
	away := httptest.NewServer(took)
	defer away.Close()
	told := make(chan http.Header, 16)
	behind := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.Header }))
	defer behind.Close()
	headers := filepath.Join(t.TempDir(), "headers")
	const key = "the-collectors-own-key"
	if err := os.WriteFile(headers, []byte("Authorization: Bearer "+key+"\nX-Tenant: causeway\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := Start(t, storetest.SQLite, Adjust(func(c *config.Config) {
		c.Services[0].Upstream = behind.URL
		c.Tracing = &config.Tracing{Endpoint: away.URL, Ratio: 1, HeadersFile: headers, Attributes: []string{"deployment.environment.name=test"}}
		if c.Site.Name == "west" {
			c.Tracing.AcceptFrom = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}
	}))
	c := p.Client
	admin := c.Login(t, "west", "acme")
	id, _ := c.Account(t, "west", admin, "inventory-bot")
	access, refresh := c.Connect(t, "west", "acme", id)
	c.Refresh(t, "west", "acme", refresh).Want(t, http.StatusOK)

	crossed := c.Get(t, "west", "/sample/inventory?query=needle-in-the-query", Bearer(access, authContext, "acme-labs",
		"Traceparent", "00-"+clientTrace+"-"+clientSpan+"-01", "Tracestate", "vendor=needle-in-the-state", "X-Causeway-Traceparent", forged,
		"X-Vmware-Vcloud-Client-Request-Id", "needle-in-the-id", "User-Agent", "needle-in-the-agent")).Want(t, http.StatusOK)
	toldOfCrossing := <-told
	// Who is not believed, at home and at the other site.
	eastAdmin := c.Login(t, "east", "acme")
	c.Get(t, "east", "/api/org", Bearer(eastAdmin, "Traceparent", forged, "X-Causeway-Traceparent", forged)).Want(t, http.StatusOK)
	misplaceInTraces(t, c, admin, access, refresh)
	for _, site := range []string{"west", "east"} { // sends what waits
		if err := p.StopSite(t.Context(), site); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.ReadFile(filepath.Join(p.Folder, "causeway.log"))
	if err != nil {
		t.Fatal(err)
	}

	t.Run("one trace from the client through both sites to the instance", func(t *testing.T) {
		from, _ := hex.DecodeString(clientSpan)
		here := took.of(t, clientTrace, "west", "GET instance", from)
		hop := took.of(t, clientTrace, "west", "peer", here.SpanId)
		there := took.of(t, clientTrace, "east", "GET instance", hop.SpanId)
		last := took.of(t, clientTrace, "east", "instance", there.SpanId)
		if got, want := toldOfCrossing.Get("Traceparent"), "00-"+clientTrace+"-"+hex.EncodeToString(last.SpanId)+"-01"; got != want || toldOfCrossing.Get("Tracestate") != "" {
			t.Errorf("the instance was told %q, state %q; want %q", got, toldOfCrossing.Get("Tracestate"), want)
		}
		if toldOfCrossing.Get("X-Causeway-Traceparent") != "" {
			t.Error("the instance sees what sites tell each other")
		}
		id := crossed.Header.Get("X-Vmware-Vcloud-Request-Id")
		if got := here.attribute("causeway.request_id"); got == "" || !strings.HasSuffix(id, got) || got == id {
			t.Errorf("the request %s is %q in the trace", id, got)
		}
		for _, site := range []string{"west", "east"} {
			if n := linesWith(log, "site="+site, "trace_id="+clientTrace); n != 1 {
				t.Errorf("%d lines of %s name the trace", n, site)
			}
		}
	})
	t.Run("what takes time below a request shows", func(t *testing.T) {
		seen := map[string]bool{}
		for _, one := range took.all {
			seen[one.Name] = true
		}
		for _, want := range []string{"token", "transaction", "statement", "batch", "journal", "POST /oauth/tenant/:org/token"} {
			if !seen[want] {
				t.Errorf("no step %q among %v", want, seen)
			}
		}
	})
	t.Run("nobody else chooses a trace", func(t *testing.T) {
		for _, one := range took.all {
			if hex.EncodeToString(one.TraceId) == forgedTrace {
				t.Errorf("%s at %s goes on with a stranger's trace", one.Name, one.site)
			}
		}
	})
	t.Run("no secret and no word of a client is sent", func(t *testing.T) {
		secrets := map[string]string{"the-collectors-own-key": "the collector's key"}
		for _, s := range c.Issued() {
			secrets[s] = "a token or code"
		}
		for _, s := range c.File.Sites {
			secrets[s.Admin.Password] = "a password"
			for _, o := range s.Organizations {
				secrets[o.Admin.Password] = "a password"
			}
		}
		secrets["needle-in-the"] = "a client's word"
		if len(took.raw) < 10_000 || len(c.Issued()) < 5 {
			t.Fatalf("%d bytes and %d tokens are not all this", len(took.raw), len(c.Issued()))
		}
		scan := newScanner(secrets)
		for _, found := range scan.find(took.raw) {
			t.Errorf("the collector has %s", found)
		}
		if bytes.Contains(log, []byte(key)) {
			t.Error("the log has the collector's key")
		}
		if len(scan.find(append([]byte("x"), c.Issued()[0]...))) == 0 {
			t.Error("the search finds nothing at all")
		}
		for _, one := range took.all {
			for _, a := range one.Attributes {
				if !said[a.Key] {
					t.Errorf("%s says %s", one.Name, a.Key)
				}
			}
			if len(one.Events) > 0 || len(one.Links) > 0 || one.Status.GetMessage() != "" || one.TraceState != "" {
				t.Errorf("%s says more than attributes: %v", one.Name, one.Span)
			}
		}
	})
	t.Run("the collector gets its headers", func(t *testing.T) {
		for _, h := range took.headers {
			if h.Get("Authorization") != "Bearer "+key || h.Get("X-Tenant") != "causeway" {
				t.Fatalf("it got %v", h)
			}
		}
	})
}

// misplaceInTraces shows secrets and words where a careless attribute would hold them.
func misplaceInTraces(t *testing.T, c *Client, admin, access, refresh string) {
	t.Helper()
	for _, path := range []string{
		"/api/org/" + refresh, "/needle-in-the-path/" + refresh + "?x=" + refresh, Accounts("") + "?filter=name==" + refresh, "/api/org?access_token=" + access,
		"/sample/needle-in-the-path",
	} {
		for _, header := range []http.Header{nil, Bearer(admin), Bearer(access), Bearer(refresh), Bearer(access, authContext, "needle-in-the-context")} {
			c.Get(t, "west", path, header)
		}
	}
	c.Do(t, "NEEDLE-IN-THE-METHOD", c.Site("west").API+"/api/org", Bearer(access), nil)
	c.Form(t, "west", "needle-in-the-org", "token", "grant_type", refresh, "refresh_token", refresh)
}

func linesWith(log []byte, words ...string) (n int) {
	for line := range bytes.Lines(log) {
		all := true
		for _, w := range words {
			all = all && bytes.Contains(line, []byte(w))
		}
		if all {
			n++
		}
	}
	return n
}
