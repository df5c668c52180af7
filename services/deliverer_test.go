package services

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/secret"
	"causeway/tenants"
)

// queue is one account with a hook.
type queue struct {
	mu   sync.Mutex
	one  Delivery
	seen chan struct{} // one for each time that a result was noted
}

func (q *queue) DueHooks(_ context.Context, now, later time.Time, _ int, _ []InstanceID) ([]Delivery, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.one.Hook.State != HookPending || q.one.Hook.Next.After(now) {
		return nil, nil
	}
	taken := q.one
	q.one.Hook.Next = later
	return []Delivery{taken}, nil
}

func (q *queue) SettleHook(_ context.Context, _ tenants.OrgID, _, key string, h Hook) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.one.Hook.Key == key {
		q.one.Hook = h
	}
	q.seen <- struct{}{}
	return nil
}

func (q *queue) hook() Hook {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.one.Hook
}

// called is one call that arrived.
type called struct {
	header http.Header
	body   []byte
}

// stand is a deliverer and whom it calls.
type stand struct {
	*queue
	d      *Deliverer
	at     time.Time
	status int
	calls  []called
	url    string
}

const theSecret = "the secret of the hook, in clear"

func newStand(t *testing.T, status int) *stand {
	t.Helper()
	s := &stand{at: now, status: status}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.calls = append(s.calls, called{r.Header, body})
		if s.status/100 == 3 {
			w.Header().Set("Location", s.url+"/elsewhere")
		}
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, "what the instance says")
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	keys, err := secret.NewKeys(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	s.queue = &queue{seen: make(chan struct{}, 100), one: Delivery{
		InstanceAccount: InstanceAccount{
			Org: acme, ID: "a1", Instance: "i1", App: theApp, Name: "Deployer", CreatedAt: now, Hook: Hook{State: HookPending, Key: "k1", Next: now},
		},
		URL: server.URL + "/hook", Secret: keys.Seal(sealHook, []byte(theSecret)),
	}}
	s.d = NewDeliverer(DelivererConfig{
		Hooks: s.queue, Keys: keys, Now: func() time.Time { return s.at }, Log: slog.New(slog.DiscardHandler),
		Rules: AddressRules{PlainHTTP: true, Allow: func(context.Context, netip.Addr) bool { return true }},
	})
	return s
}

// round makes the calls that are due, and returns how many.
func (d *Deliverer) round(ctx context.Context) int {
	n := d.begin(ctx)
	d.calls.Wait()
	return n
}

func TestHook_CSP_18_WhatAnInstanceIsTold(t *testing.T) {
	t.Parallel()
	s := newStand(t, http.StatusNoContent)
	s.d.round(t.Context())
	if len(s.calls) != 1 {
		t.Fatalf("it was called %d times", len(s.calls))
	}
	c := s.calls[0]
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Idempotency-Key": "k1", "X-Causeway-Timestamp": "1772366400",
		"X-Causeway-Signature": SignHook([]byte(theSecret), "1772366400", c.body),
	} {
		if got := c.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	var body hookBody
	if err := json.Unmarshal(c.body, &body); err != nil {
		t.Fatal(err)
	}
	if body.Event != eventCreated || body.Org != acme || body.Instance != "i1" || body.Account.ID != "a1" || body.Account.Client != client ||
		body.Account.Kind != "app" || len(body.Account.Groups) != 1 || body.Account.Groups[0] != AccountsGroup {
		t.Errorf("it was told %s", c.body)
	}
	if h := s.hook(); h.State != HookProvisioned || h.Attempts != 1 || h.Error != "" {
		t.Errorf("then the hook is %+v", h)
	}
	if got := s.d.Counts(); got != (HookCounts{Delivered: 1}) {
		t.Errorf("counted %+v", got)
	}
	if s.d.round(t.Context()); len(s.calls) != 1 {
		t.Error("it was told again")
	}

	s.one.EndedAt, s.one.Hook = now.Add(time.Hour), Hook{State: HookPending, Key: "k2", Next: now}
	s.d.round(t.Context())
	if len(s.calls) != 2 || !strings.Contains(string(s.calls[1].body), eventEnded) || s.calls[1].header.Get("Idempotency-Key") != "k2" {
		t.Errorf("of the end it was told %+v", s.calls[1:])
	}
}

// The signature is what anybody would compute: a test vector from another program.
func TestSignHook(t *testing.T) {
	t.Parallel()
	const want = "91b5374b153842ad05b2c4eab9349b8321b14703165bd3fb8b034dfb8be98ae5"
	if got := SignHook([]byte("key"), "1", []byte("body")); got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
}

func TestHook_CSP_18_IsTriedAgainWithTheSameKey(t *testing.T) {
	t.Parallel()
	s := newStand(t, http.StatusInternalServerError)
	var pauses []time.Duration
	for range hookAttempts + 3 {
		s.d.round(t.Context())
		h := s.hook()
		if h.State != HookPending {
			break
		}
		pauses = append(pauses, h.Next.Sub(s.at))
		if s.at = h.Next.Add(-1); s.d.round(t.Context()) != 0 {
			t.Fatal("it was tried before its time")
		}
		s.at = h.Next
	}
	if h := s.hook(); h.State != HookFailed || h.Attempts != hookAttempts || h.Error != "The hook answered 500." {
		t.Errorf("in the end it is %+v", h)
	}
	if len(s.calls) != hookAttempts || len(pauses) != hookAttempts-1 || pauses[0] != hookPause || pauses[1] != 2*hookPause || pauses[len(pauses)-1] != hookMostPause {
		t.Errorf("%d calls with the pauses %v", len(s.calls), pauses)
	}
	for _, c := range s.calls {
		if c.header.Get("Idempotency-Key") != "k1" {
			t.Errorf("a call had the key %s", c.header.Get("Idempotency-Key"))
		}
	}
	if got := s.d.Counts(); got != (HookCounts{Retried: hookAttempts - 1, Failed: 1}) {
		t.Errorf("counted %+v", got)
	}
}

func TestHook_R9_GoesNowhereElse(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*stand)
		calls  int
		why    string
	}{
		"a redirect": {func(s *stand) { s.status = http.StatusTemporaryRedirect }, 1, "answered 307"},
		"an address that is not allowed": {func(s *stand) {
			c := s.d.DelivererConfig
			c.Rules.Allow = func(_ context.Context, a netip.Addr) bool { return !a.IsLoopback() }
			s.d = NewDeliverer(c)
		}, 0, "could not be reached"},
		"http that was allowed once": {func(s *stand) { s.d.Rules.PlainHTTP = false }, 0, "not https"},
		"a secret of another key":    {func(s *stand) { s.one.Secret = []byte("sealed otherwise") }, 0, "cannot be opened"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t, http.StatusOK)
			tt.change(s)
			s.d.round(t.Context())
			if h := s.hook(); len(s.calls) != tt.calls || h.State != HookPending || !strings.Contains(h.Error, tt.why) || strings.Contains(h.Error, s.url) {
				t.Errorf("%d calls, and the hook is %+v", len(s.calls), h)
			}
		})
	}
}

// A hook that was taken away is no work.
func TestHook_WithoutAnAddress(t *testing.T) {
	t.Parallel()
	s := newStand(t, http.StatusOK)
	s.one.URL = ""
	s.d.round(t.Context())
	if h := s.hook(); h.State != HookNone || len(s.calls) != 0 {
		t.Errorf("%d calls, and the hook is %+v", len(s.calls), h)
	}
}

// Run starts at once, wakes for the journal, and ends when no call is under way.
func TestDeliverer_Run(t *testing.T) {
	t.Parallel()
	s := newStand(t, http.StatusOK)
	s.d.Interval = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.d.Run(ctx)
	}()
	<-s.seen
	s.mu.Lock()
	s.one.Hook = Hook{State: HookPending, Key: "k2", Next: now}
	s.mu.Unlock()
	s.d.Apply(journal.Row{Entry: journal.Entry{Subject: journal.Subject{Kind: journal.KindInstanceAccount}}})
	<-s.seen
	if h := s.hook(); h.State != HookProvisioned || h.Key != "k2" {
		t.Errorf("the hook is %+v", h)
	}
	cancel()
	<-done
}
