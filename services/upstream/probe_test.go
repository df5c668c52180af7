package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"causeway/internal/problem"
	"causeway/services"
	"causeway/services/upstream"
)

type late struct{ error }

func (late) Timeout() bool   { return true }
func (late) Temporary() bool { return true }

// Whoever can make an upstream break off, or think for too long, takes the service from
// nobody else.
func TestPool_R13_OneClientTakesNotTheLast(t *testing.T) {
	for name, err := range map[string]error{"broken": io.ErrUnexpectedEOF, "silent": late{errors.New("timeout")}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, services.InstanceSettings{}, "one", "two")
			for range 100 {
				f.set("one", fails(err))
				f.set("two", fails(err))
				_, _ = f.send(t.Context(), http.MethodPost, nil)
				f.set("one", answer(200))
				f.set("two", answer(200))
				if s := f.proxy.Stats(); s.Well == 0 {
					t.Fatalf("%s: %+v", name, s)
				}
			}
			for range 20 {
				f.set("one", fails(err))
				f.set("two", fails(err))
				for range 6 {
					_, _ = f.send(t.Context(), http.MethodPost, nil)
				}
				f.set("one", answer(200))
				f.set("two", answer(200))
				if status, err := f.get(); status != 200 || err != nil {
					t.Fatalf("%s: the next is told %d, %v", name, status, err)
				}
			}
		})
	}
}

// After a pause one request tries for all, and what began before counts no more.
func TestPool_R13_OneTriesForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, services.InstanceSettings{}, "one")
		old := make(chan struct{})
		f.set("one", func(r *http.Request) (*http.Response, error) { <-old; return nil, refusedConnection })
		var wait sync.WaitGroup
		for range 10 {
			wait.Go(func() { _, _ = f.get() })
		}
		synctest.Wait()
		f.set("one", fails(refusedConnection))
		for range 5 {
			_, _ = f.get()
		}
		time.Sleep(time.Second)
		let := make(chan struct{})
		f.set("one", func(r *http.Request) (*http.Response, error) { <-let; return nil, refusedConnection })
		before := f.count("one")
		for range 20 {
			wait.Go(func() { _, _ = f.get() })
		}
		synctest.Wait()
		if n := f.count("one") - before; n != 1 {
			t.Errorf("%d try at once", n)
		}
		close(old)
		synctest.Wait()
		close(let)
		wait.Wait()
		f.set("one", answer(200))
		time.Sleep(2*time.Second - time.Millisecond)
		if _, err := f.get(); !problem.Has(err, problem.Unavailable) {
			t.Errorf("it is back too soon: %v", err)
		}
		time.Sleep(time.Millisecond)
		if status, err := f.get(); status != 200 || err != nil {
			t.Errorf("after twice the pause: %d, %v", status, err)
		}
	})
}

// One that tries and leaves lets the next try.
func TestPool_R13_WhoTriesMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, services.InstanceSettings{}, "one")
		f.set("one", fails(refusedConnection))
		for range 5 {
			_, _ = f.get()
		}
		time.Sleep(time.Second)
		f.set("one", func(r *http.Request) (*http.Response, error) { return nil, context.Cause(r.Context()) })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _ = f.send(ctx, http.MethodGet, nil)
		f.set("one", answer(200))
		if status, err := f.get(); status != 200 || err != nil {
			t.Errorf("the next is told %d, %v", status, err)
		}
	})
}

// What a check found is over with the check, also where one is under way.
func TestHealth_ChecksThatAreTakenAway(t *testing.T) {
	for _, path := range []string{"", "/right"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, services.InstanceSettings{Health: services.HealthCheck{Path: "/wrong", Interval: time.Second, Unhealthy: 1}}, "one")
			f.set("one", func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/wrong") {
					time.Sleep(500 * time.Millisecond)
					return answer(404)(r)
				}
				return answer(200)(r)
			})
			f.proxy.Start()
			defer f.proxy.Close()
			time.Sleep(1700 * time.Millisecond) // the second is under way
			if _, err := f.get(); !problem.Has(err, problem.Unavailable) {
				t.Fatal(err)
			}
			in := f.db.list[0]
			in.Health = services.HealthCheck{Path: path}
			f.db.set(in)
			f.proxy.Apply(change("id-of-metrics"))
			synctest.Wait()
			for range 3 {
				if status, err := f.get(); status != 200 || err != nil {
					t.Errorf("%q: %d, %v", path, status, err)
				}
				time.Sleep(time.Hour)
			}
		})
	}
}

// A check ends before the next, and in any case.
func TestHealth_R13_ChecksEnd(t *testing.T) {
	for check, want := range map[services.HealthCheck]time.Duration{
		{Interval: time.Second}:                          time.Second,
		{Interval: time.Minute}:                          3 * time.Second,
		{Interval: time.Second, Timeout: time.Minute}:    time.Second,
		{Interval: time.Hour, Timeout: 50 * time.Minute}: 30 * time.Second,
		{Timeout: 20 * time.Second}:                      10 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			check.Path = "/healthz"
			f := newFleet(t, services.InstanceSettings{Health: check}, "one")
			ended := make(chan time.Duration, 1)
			f.set("one", func(r *http.Request) (*http.Response, error) {
				began := time.Now()
				<-r.Context().Done()
				select {
				case ended <- time.Since(began):
				default:
				}
				return nil, r.Context().Err()
			})
			f.proxy.Start()
			defer f.proxy.Close()
			if got := <-ended; got != want {
				t.Errorf("%+v: it waits for %s, want %s", check, got, want)
			}
		})
	}
}

// Upstreams of one instance that are all silent leave room for the checks of others.
func TestHealth_R13_OneInstanceTakesNotAllTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, services.InstanceSettings{}, "one")
		in := f.db.list[0]
		in.Upstreams, in.Health = nil, services.HealthCheck{Path: "/healthz", Interval: time.Minute, Timeout: 30 * time.Second}
		for i := range 32 {
			name := fmt.Sprintf("silent%d", i)
			in.Upstreams = append(in.Upstreams, "https://"+name+".example/base")
			f.set(name, func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		}
		other := service("other", "/other")
		other.Upstreams, other.Health = []string{"https://one.example/base"}, services.HealthCheck{Path: "/healthz", Interval: 10 * time.Second}
		f.db.set(in, other)
		f.proxy.Start()
		defer f.proxy.Close()
		time.Sleep(5*time.Minute + time.Second)
		if n := f.count("one"); n != 31 {
			t.Errorf("the other was asked %d times in five minutes", n)
		}
	})
}

// An upstream that was allowed once, by http, is asked nothing: neither requests nor
// checks.
func TestHealth_R9_NeverByHTTPWhereThatIsForbidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		in := service("metrics", "/metrics")
		in.Upstreams, in.Health = []string{"http://metrics.example"}, services.HealthCheck{Path: "/healthz"}
		db := &stored{}
		db.set(in)
		f := &fleet{t: t, db: db, proxy: newProxy(t, upstream.Config{Store: db, Reach: func(*url.URL) http.RoundTripper {
			return tripper(func(r *http.Request) (*http.Response, error) { asked.Add(1); return answer(200)(r) })
		}})}
		f.proxy.Start()
		defer f.proxy.Close()
		time.Sleep(time.Hour)
		_, err := f.get()
		if p := problem.As(err); asked.Load() != 0 || p == nil || !strings.Contains(p.Detail, "https only") {
			t.Errorf("%d requests, %v", asked.Load(), err)
		}
	})
}

// What is used again for a request is nobody's meanwhile: with -race this is the proof.
func TestServe_R13_ManyAtOnce(t *testing.T) {
	t.Parallel()
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/cut") {
			panic(http.ErrAbortHandler)
		}
	}))
	defer back.Close()
	db := &stored{}
	in := service("metrics", "/metrics")
	in.Upstreams = []string{back.URL, back.URL + "/too"}
	db.set(in)
	p := newProxy(t, upstream.Config{Store: db, Reach: func(*url.URL) http.RoundTripper { return http.DefaultTransport }, Rules: services.AddressRules{PlainHTTP: true}})
	m, err := p.Match(t.Context(), "", http.MethodGet, "/metrics/api")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for i := range 300 {
				id := identity
				id.Path = "/api"
				if i%50 == 0 {
					id.Path = "/cut"
				}
				method := []string{http.MethodGet, http.MethodPost}[i%2]
				r := httptest.NewRequestWithContext(t.Context(), method, "/metrics/api", strings.NewReader("body"))
				_ = p.Serve(httptest.NewRecorder(), r, m.Instance, id)
			}
		})
	}
	wait.Wait()
	for _, h := range p.Health("id-of-metrics") {
		if h.Outstanding != 0 {
			t.Errorf("%d are under way to %s", h.Outstanding, h.URL)
		}
	}
}
