package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"causeway/internal/journal"
	"causeway/services"
	"causeway/services/upstream"
)

// stored is a store that has instances, and nothing else.
type stored struct {
	services.Reader
	mu    sync.Mutex
	list  []services.ServiceInstance
	reads atomic.Int32
	gone  atomic.Bool
	let   chan struct{} // nil lets reads pass
}

func (s *stored) View(_ context.Context, f func(services.Reader) error) error { return f(s) }
func (s *stored) InTx(context.Context, func(services.Tx) error) error         { return errors.New("not here") }

func (s *stored) EveryInstance() ([]services.ServiceInstance, error) {
	s.reads.Add(1)
	s.mu.Lock()
	list := slices.Clone(s.list)
	s.mu.Unlock()
	if s.let != nil {
		<-s.let
	}
	if s.gone.Load() {
		return nil, errors.New("the database is away")
	}
	return list, nil
}

func (s *stored) set(list ...services.ServiceInstance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = list
}

func service(name, prefix string, hosts ...string) services.ServiceInstance {
	return services.ServiceInstance{
		ID: services.InstanceID("id-of-" + name), Org: org.ID, Name: name, Prefix: prefix, Hosts: hosts, Enabled: true, Mode: services.Onboarded,
		InstanceSettings: services.InstanceSettings{Upstreams: []string{"https://" + name + ".example"}},
	}
}

func newProxy(t testing.TB, c upstream.Config) *upstream.Proxy {
	t.Helper()
	p, err := upstream.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func change(id string) journal.Row {
	return journal.Row{Entry: journal.Entry{Action: journal.InstanceUpdated, Subject: journal.Subject{Kind: journal.KindServiceInstance, ID: id}}}
}

// By its host first, then what the configuration names, then the longest prefix.
func TestMatch_CSP26_ByHostAndPrefix(t *testing.T) {
	t.Parallel()
	db := &stored{}
	db.set(
		service("metrics", "/metrics"), service("deep", "/metrics/deep"), service("hosted", "", "wavefront.example", "west.example"),
		service("both", "/both", "both.example"), service("shadowed", "/sample/of/another"),
	)
	p := newProxy(t, upstream.Config{
		Table: newTable(t, upstream.Instance{Name: "sample", Prefix: "/sample", Upstream: mustURL(t, "http://sample.example"), Rules: upstream.SampleRules()}),
		Store: db, Own: []string{"west.example"},
	})
	for _, tt := range []struct{ host, path, name, below string }{
		{"west.example", "/metrics", "metrics", "/"},
		{"west.example", "/metrics/", "metrics", "/"},
		{"west.example", "/metrics/api/v2/chart", "metrics", "/api/v2/chart"},
		{"west.example", "/metrics/deeper", "metrics", "/deeper"},
		{"west.example", "/metrics/deep", "deep", "/"},
		{"west.example", "/metrics/deep/api", "deep", "/api"},
		{"west.example", "/metricsx", "", ""},
		{"west.example", "/Metrics/api", "", ""},
		{"west.example", "/", "", ""},
		{"west.example", "/api/v2", "", ""},
		{"west.example", "/sample/inventory", "sample", "/sample/inventory"},
		{"west.example", "/sample/of/another/x", "sample", "/sample/of/another/x"}, // what is configured nobody takes
		{"wavefront.example", "/metrics/api", "hosted", "/metrics/api"},
		{"wavefront.example", "/sample/inventory", "hosted", "/sample/inventory"},
		{"wavefront.example", "/cloudapi/1.0.0/users", "hosted", "/cloudapi/1.0.0/users"},
		{"WaveFront.Example:8443", "/x", "hosted", "/x"},
		{"wavefront.example.", "/x", "hosted", "/x"},
		{"wavefront.example.evil", "/x", "", ""},
		{"both.example", "/both/x", "both", "/both/x"},
		{"west.example:443", "/both/x", "both", "/x"},
		{"", "/both/x", "both", "/x"}, // from a peer
		{"[::1]:443", "/both/x", "both", "/x"},
	} {
		m, err := p.Match(t.Context(), tt.host, http.MethodGet, tt.path)
		name := ""
		if m.Instance != nil {
			name = m.Instance.Name
		}
		if err != nil || name != tt.name || name != "" && m.Path != tt.below {
			t.Errorf("%s %s leads to %q at %q: %v; want %q at %q", tt.host, tt.path, name, m.Path, err, tt.name, tt.below)
		}
		owned, err := p.OwnsHost(t.Context(), tt.host)
		if err != nil || owned != m.ByHost {
			t.Errorf("%s is owned: %t, %v, and found by host: %t", tt.host, owned, err, m.ByHost)
		}
	}
}

// TestMatch_R4_NothingStale: from the moment at which the journal names an instance,
// nobody is matched by what was read before, also not by a read under way.
func TestMatch_R4_NothingStale(t *testing.T) {
	t.Parallel()
	db := &stored{let: make(chan struct{}, 100)}
	db.set(service("old", "/x"))
	p := newProxy(t, upstream.Config{Store: db})
	found := func() string {
		m, err := p.Match(t.Context(), "", http.MethodGet, "/x/y")
		if err != nil || m.Instance == nil {
			return fmt.Sprint(m.Instance, err)
		}
		return m.Instance.Name
	}
	slow := make(chan string)
	go func() { slow <- found() }()
	for db.reads.Load() == 0 { // it has read, and does not come back yet
	}
	db.set(service("new", "/x"))
	p.Apply(change("id-of-old"))
	quick := make(chan string)
	go func() { quick <- found() }()
	for db.reads.Load() == 1 {
	}
	db.let <- struct{}{}
	db.let <- struct{}{}
	<-slow
	if got := <-quick; got != "new" {
		t.Errorf("after the change %s is found", got)
	}
	if got := found(); got != "new" || db.reads.Load() != 2 {
		t.Errorf("%s is kept, after %d reads", got, db.reads.Load())
	}
	// What cannot be known is no answer, rather than an old one.
	db.gone.Store(true)
	p.Apply(journal.Row{Entry: journal.Entry{Action: journal.OrganizationDeleted, Subject: journal.Subject{Kind: journal.KindOrganization}}})
	db.let <- struct{}{}
	if m, err := p.Match(t.Context(), "", http.MethodGet, "/x/y"); err == nil {
		t.Errorf("without a database %v is found", m)
	}
	db.let <- struct{}{}
	if owned, err := p.OwnsHost(t.Context(), "x.example"); err == nil {
		t.Errorf("without a database a host is owned: %t", owned)
	}
}

// TestMatch_R13_OneReadForAll: a change must not send each request to the database.
func TestMatch_R13_OneReadForAll(t *testing.T) {
	t.Parallel()
	db := &stored{let: make(chan struct{})}
	db.set(service("one", "/x"))
	p := newProxy(t, upstream.Config{Store: db})
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if m, err := p.Match(t.Context(), "", http.MethodGet, "/x"); err != nil || m.Instance == nil {
				t.Error(m, err)
			}
		})
	}
	close(db.let)
	wait.Wait()
	if n := db.reads.Load(); n != 1 {
		t.Errorf("%d reads", n)
	}
}

// TestMatch_R13_TenThousand instances cost a request what one does.
func TestMatch_R13_TenThousand(t *testing.T) {
	db := &stored{}
	var list []services.ServiceInstance
	for i := range 10_000 {
		list = append(list, service(fmt.Sprint("s", i), fmt.Sprintf("/tenant%d/metrics", i), fmt.Sprintf("s%d.example", i)))
	}
	db.set(list...)
	p := newProxy(t, upstream.Config{Store: db, Table: newTable(t, upstream.Instance{Name: "sample", Prefix: "/sample", Upstream: mustURL(t, "http://s.example"), Rules: upstream.SampleRules()})})
	ctx := t.Context()
	look := func() {
		for _, host := range []string{"s7777.example:443", "west.example"} {
			if m, err := p.Match(ctx, host, http.MethodGet, "/tenant5000/metrics/api/v2/chart/api"); err != nil || m.Instance == nil {
				t.Fatal(m, err)
			}
		}
		if m, err := p.Match(ctx, "west.example", http.MethodPost, "/sample/reservations"); err != nil || m.Right == "" {
			t.Fatal(m, err)
		}
	}
	look()
	if n := testing.AllocsPerRun(1000, look); n != 0 {
		t.Errorf("finding an instance allocates %v times", n)
	}
}

// FuzzMatch: whatever host and path somebody asks for, what is judged is the end of
// what was asked, and an instance gets only what lies in its prefix or host.
func FuzzMatch(f *testing.F) {
	db := &stored{}
	db.set(service("metrics", "/metrics"), service("deep", "/metrics/deep"), service("hosted", "", "wavefront.example"))
	p := newProxy(f, upstream.Config{Store: db, Own: []string{"west.example"}})
	for _, s := range [][2]string{{"west.example:443", "/metrics/deep/x"}, {"WAVEFRONT.example.", "/"}, {"[::1]", "/metrics"}, {"", "/metricsx"}, {":", "/metrics/"}, {"wavefront.example:80:80", "/a"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, host, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		path, err := services.CanonicalPath(u)
		if err != nil {
			return
		}
		m, err := p.Match(t.Context(), host, http.MethodGet, path)
		if err != nil {
			t.Fatal(err)
		}
		owned, _ := p.OwnsHost(t.Context(), host)
		switch {
		case owned != m.ByHost:
			t.Errorf("%q is owned: %t, found: %t", host, owned, m.ByHost)
		case m.Instance == nil:
			if path == "/metrics" || strings.HasPrefix(path, "/metrics/") {
				t.Errorf("%q is nobody's", path)
			}
		case m.ByHost:
			if m.Path != path || m.Instance.Name != "hosted" {
				t.Errorf("%q became %q of %s", path, m.Path, m.Instance.Name)
			}
		case m.Instance.Prefix+m.Path != path && !(m.Instance.Prefix == path && m.Path == "/"):
			t.Errorf("%q became %q of %s", path, m.Path, m.Instance.Name)
		}
	})
}
