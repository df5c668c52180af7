package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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

func mustURL(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// fleet are the upstreams of one instance, as functions.
type fleet struct {
	t     testing.TB
	proxy *upstream.Proxy
	db    *stored
	mu    sync.Mutex
	does  map[string]func(*http.Request) (*http.Response, error)
	asked map[string]int
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func newFleet(t testing.TB, settings services.InstanceSettings, names ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, db: &stored{}, does: map[string]func(*http.Request) (*http.Response, error){}, asked: map[string]int{}}
	in := service("metrics", "/metrics")
	in.InstanceSettings = settings
	in.Upstreams = nil
	for _, name := range names {
		in.Upstreams = append(in.Upstreams, "https://"+name+".example/base/")
		f.does[name] = answer(200)
	}
	f.db.set(in)
	f.proxy = newProxy(t, upstream.Config{Store: f.db, Reach: func(to *url.URL) http.RoundTripper {
		name := strings.TrimSuffix(to.Host, ".example")
		return tripper(func(r *http.Request) (*http.Response, error) {
			f.mu.Lock()
			f.asked[name]++
			do := f.does[name]
			f.mu.Unlock()
			if !strings.HasPrefix(r.URL.Path, "/base/") || r.URL.Host != to.Host {
				f.t.Errorf("%s is asked %s", name, r.URL)
			}
			return do(r)
		})
	}})
	return f
}

func answer(status int) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
}

func fails(err error) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			r.Body.Close() // as a transport does
		}
		return nil, err
	}
}

var refusedConnection = upstream.Unreached(&net.OpError{Op: "dial", Err: errors.New("connection refused")})

func (f *fleet) set(name string, do func(*http.Request) (*http.Response, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.does[name] = do
}

func (f *fleet) count(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[name]
}

func (f *fleet) send(ctx context.Context, method string, body io.Reader) (int, error) {
	f.t.Helper()
	m, err := f.proxy.Match(ctx, "", method, "/metrics/api")
	if err != nil || m.Instance == nil {
		f.t.Fatal(m, err)
	}
	w := httptest.NewRecorder()
	id := identity
	id.Path = m.Path
	err = f.proxy.Serve(w, httptest.NewRequestWithContext(ctx, method, "/metrics/api", body), m.Instance, id)
	return w.Code, err
}

func (f *fleet) get() (int, error) { return f.send(context.Background(), http.MethodGet, nil) }

// The less busy of two gets a request: a slow upstream is spared.
func TestPool_LeastOutstanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, services.InstanceSettings{}, "slow", "quick")
		f.set("slow", func(r *http.Request) (*http.Response, error) {
			time.Sleep(100 * time.Millisecond)
			return answer(200)(r)
		})
		f.set("quick", func(r *http.Request) (*http.Response, error) { time.Sleep(time.Millisecond); return answer(200)(r) })
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				for range 50 {
					if _, err := f.get(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		if slow, quick := f.count("slow"), f.count("quick"); quick < 5*slow || slow == 0 {
			t.Errorf("the slow one got %d, the quick one %d", slow, quick)
		}
	})
}

// Nothing was sent, so another upstream is asked, also with a body, which is whole
// there; and the one that cannot be reached is soon left out.
func TestPool_R9_AnotherWhereNothingWasSent(t *testing.T) {
	t.Parallel()
	f := newFleet(t, services.InstanceSettings{}, "down", "up")
	f.set("down", fails(refusedConnection))
	var got atomic.Value
	f.set("up", func(r *http.Request) (*http.Response, error) {
		b, err := io.ReadAll(r.Body)
		got.Store(fmt.Sprint(string(b), err))
		return answer(200)(r)
	})
	for range 100 {
		if status, err := f.send(t.Context(), http.MethodPost, strings.NewReader("a body")); status != 200 || err != nil {
			t.Fatal(status, err)
		}
		if s := got.Load(); s != "a body<nil>" {
			t.Fatalf("it got %v", s)
		}
	}
	if n := f.count("down"); n < 1 || n > 10 {
		t.Errorf("the one that is down was asked %d times", n)
	}
	health := f.proxy.Health("id-of-metrics")
	if len(health) != 2 || health[0].Well || !strings.Contains(health[0].Why, "connected") || !health[1].Well || health[1].Outstanding != 0 {
		t.Errorf("health: %+v", health)
	}
	if s := f.proxy.Stats(); s.Retries == 0 || s.Ejected != 1 || s.Well != 1 || s.Out != 1 || s.Outcomes["answered"] != 100 {
		t.Errorf("stats: %+v", s)
	}
}

// TestPool_R9_NeverTwice: what may have been done is not done again, whatever the
// method.
func TestPool_R9_NeverTwice(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodPut} {
		f := newFleet(t, services.InstanceSettings{}, "one", "two")
		for _, name := range []string{"one", "two"} {
			f.set(name, fails(io.ErrUnexpectedEOF))
		}
		if _, err := f.send(t.Context(), method, nil); !problem.Has(err, problem.Unavailable) {
			t.Errorf("%s: %v", method, err)
		}
		if n := f.count("one") + f.count("two"); n != 1 {
			t.Errorf("%s was sent %d times", method, n)
		}
	}
}

// TestPool_R13_NoneWell says which instance and why, at once, and not where its
// upstreams are; and lets them come back.
func TestPool_R13_NoneWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, services.InstanceSettings{}, "one", "two")
		f.set("one", fails(refusedConnection))
		f.set("two", fails(refusedConnection))
		for range 20 {
			_, _ = f.get()
		}
		before := f.count("one") + f.count("two")
		_, err := f.get()
		p := problem.As(err)
		if p == nil || p.Code != problem.Unavailable || p.Detail != "No upstream of the service metrics is well: 2 of 2 cannot be connected to." || p.RetryAfter <= 0 {
			t.Fatalf("got %v", err)
		}
		if f.count("one")+f.count("two") != before {
			t.Error("an upstream that is out was asked")
		}
		f.set("one", answer(200))
		time.Sleep(time.Second)
		if status, err := f.get(); err != nil || status != 200 {
			// the other one may have been drawn first
			if status, err = f.get(); err != nil || status != 200 {
				t.Errorf("a second later: %d %v", status, err)
			}
		}
	})
}

// The pauses grow while nothing gets better, and not without end.
func TestPool_PausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, services.InstanceSettings{}, "one")
		f.set("one", fails(refusedConnection))
		for range 5 {
			_, _ = f.get()
		}
		for _, pause := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			pause *= time.Second
			before := f.count("one")
			time.Sleep(pause - time.Millisecond)
			_, _ = f.get()
			if f.count("one") != before {
				t.Fatalf("it was asked in a pause of %s", pause)
			}
			time.Sleep(time.Millisecond)
			_, _ = f.get()
			if f.count("one") != before+1 {
				t.Fatalf("it was not asked after %s", pause)
			}
		}
	})
}

// What a service answers to one client, a refusal or an error of its own, takes no
// upstream from the others; what gateways answer does, but never the last.
func TestPool_AnswersThatTakeOut(t *testing.T) {
	t.Parallel()
	for status, out := range map[int]int{200: 0, 400: 0, 401: 0, 403: 0, 404: 0, 429: 0, 500: 0, 501: 0, 502: 1, 503: 1, 504: 1} {
		f := newFleet(t, services.InstanceSettings{}, "one", "two", "three")
		for _, name := range []string{"one", "two", "three"} {
			f.set(name, answer(200))
		}
		f.set("two", answer(status))
		for range 200 {
			if _, err := f.get(); err != nil {
				t.Fatal(err)
			}
		}
		if got := f.proxy.Stats().Out; got != out {
			t.Errorf("%d takes out %d", status, got)
		}
		for _, name := range []string{"one", "two", "three"} {
			f.set(name, answer(status))
		}
		for range 200 {
			if got, err := f.get(); err != nil || got != status {
				t.Fatalf("%d came as %d, %v", status, got, err)
			}
		}
	}
}

// A client that breaks off, or sends half a body, is not its upstream's fault.
func TestPool_R13_ClientsTakeNothingOut(t *testing.T) {
	t.Parallel()
	f := newFleet(t, services.InstanceSettings{}, "one")
	f.set("one", func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return nil, err
			}
		}
		return nil, context.Cause(r.Context())
	})
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.send(ctx, http.MethodGet, nil); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		_, err := f.send(t.Context(), http.MethodPost, io.MultiReader(strings.NewReader("half"), brokenReader{}))
		if !problem.Has(err, problem.BadRequest) {
			t.Fatal(err)
		}
	}
	if s := f.proxy.Stats(); s.Out != 0 || s.Outcomes["left"] != 100 || s.Ejected != 0 {
		t.Errorf("%+v", s)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("malformed chunk") }

// Health checks take an upstream out and bring it back, after as many answers as was
// said, and without requests.
func TestHealth_ChecksTakeOutAndBringBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, services.InstanceSettings{Health: services.HealthCheck{Path: "/healthz", Interval: time.Second, Healthy: 2, Unhealthy: 3}}, "one")
		f.proxy.Start()
		defer f.proxy.Close()
		well := func() bool { return f.proxy.Health("id-of-metrics")[0].Well }
		time.Sleep(1500 * time.Millisecond)
		if !well() || f.count("one") != 2 {
			t.Fatalf("after %d checks: %v", f.count("one"), well())
		}
		if ago := time.Since(f.proxy.Health("id-of-metrics")[0].Checked); ago != 500*time.Millisecond {
			t.Errorf("the last check was %s ago", ago)
		}
		f.set("one", answer(500))
		time.Sleep(2 * time.Second)
		if !well() {
			t.Error("it is out after two bad answers")
		}
		time.Sleep(time.Second)
		_, err := f.get()
		if p := problem.As(err); well() || p == nil || p.Detail != "No upstream of the service metrics is well: 1 of 1 failed the health check." {
			t.Errorf("after three bad answers: %v", err)
		}
		f.set("one", answer(204))
		time.Sleep(time.Second)
		if well() {
			t.Error("it is back after one good answer")
		}
		time.Sleep(time.Second)
		if !well() {
			t.Error("it is not back after two")
		}
		// Once the instance is gone nobody asks it any more.
		f.db.set()
		f.proxy.Apply(change("id-of-metrics"))
		synctest.Wait()
		before := f.count("one")
		time.Sleep(time.Minute)
		if f.count("one") != before {
			t.Error("an instance that is gone is still asked")
		}
	})
}

// What is known of an upstream outlives changes that are not about it, and requests
// under way end where they began.
func TestPool_OutlivesChanges(t *testing.T) {
	t.Parallel()
	f := newFleet(t, services.InstanceSettings{}, "down", "up")
	f.set("down", fails(refusedConnection))
	for range 50 {
		_, _ = f.get()
	}
	in := f.db.list[0]
	in.Hosts = []string{"metrics.example"}
	in.Upstreams = append(in.Upstreams, "https://third.example/base")
	f.set("third", answer(200))
	f.db.set(in)
	f.proxy.Apply(change("id-of-metrics"))
	if _, err := f.get(); err != nil {
		t.Fatal(err)
	}
	if h := f.proxy.Health("id-of-metrics"); len(h) != 3 || h[0].Well || !h[1].Well || !h[2].Well {
		t.Errorf("%+v", h)
	}
}

// TestPool_R9_AddressesAreJudged: a name that leads into a network that is not
// allowed is not connected to, and plain http only where that is allowed.
func TestPool_R9_AddressesAreJudged(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	back := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer back.Close()
	for _, rules := range []services.AddressRules{{PlainHTTP: true}, {}} {
		in := service("metrics", "/metrics")
		in.Upstreams = []string{strings.Replace(back.URL, "127.0.0.1", "localhost", 1)}
		db := &stored{}
		db.set(in)
		f := &fleet{t: t, db: db, proxy: newProxy(t, upstream.Config{Store: db, Rules: rules})}
		if _, err := f.get(); !problem.Has(err, problem.Unavailable) {
			t.Errorf("%+v: %v", rules, err)
		}
	}
	if hits.Load() != 0 {
		t.Error("the address was connected to")
	}
}
