package services_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/services"
	"causeway/tenants"
)

// told is what an instance was told, by the key of the change.
type told struct {
	mu     sync.Mutex
	status int
	events map[string][]string // key to events
	calls  chan struct{}
}

func (o *told) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var said struct {
		Event   string `json:"event"`
		Account struct {
			ID string `json:"id"`
		} `json:"account"`
	}
	_ = json.Unmarshal(body, &said)
	o.mu.Lock()
	key := r.Header.Get("Idempotency-Key")
	o.events[key] = append(o.events[key], said.Event+" "+said.Account.ID)
	status := o.status
	o.mu.Unlock()
	w.WriteHeader(status)
	o.calls <- struct{}{}
}

func (o *told) answer(status int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.status = status
}

// Each change of an account is told, by one of the cells, with a key of its own; one
// that failed is told again when somebody asks for it.
func TestHooks_CSP_18_EachChangeIsTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		f := newFleet(t, db)
		o := &told{status: 200, events: map[string][]string{}, calls: make(chan struct{}, 100)}
		server := httptest.NewServer(o)
		t.Cleanup(server.Close)
		d := draft("one")
		d.HookURL = server.URL + "/hook"
		in := f.instance(f.a, d)
		ctx, cancel := context.WithCancel(t.Context())
		var cells sync.WaitGroup
		for range 2 {
			cell := services.NewDeliverer(services.DelivererConfig{
				Hooks: db.Hooks(), Keys: f.keys, Rules: anywhere, Now: f.now, Log: slog.New(slog.DiscardHandler), Interval: 5 * time.Millisecond,
			})
			cells.Go(func() { cell.Run(ctx) })
		}
		defer cells.Wait()
		defer cancel()

		app := f.app(f.a, f.everything())
		f.give(f.a, app, f.role("aoa:alerts"))
		<-o.calls
		account := f.live(in)[0]
		f.wantHook(in, account.ID, services.HookProvisioned)
		f.take(f.a, app, f.role("aoa:alerts"))
		<-o.calls
		f.wantHook(in, account.ID, services.HookProvisioned)

		o.answer(500)
		owner := f.person(f.a, tenants.RightOrgOwner)
		hand, err := f.service.CreateAccount(t.Context(), owner, f.a, in.ID, "hand")
		f.must(err)
		for n := range 12 {
			<-o.calls
			f.waitHook(in, hand.ID, func(h services.Hook) bool { return h.Attempts == n+1 }) // noted before time goes on
			f.later(20 * time.Minute)
		}
		f.wantHook(in, hand.ID, services.HookFailed)
		o.answer(204)
		wants(t, f.service.RetryHook(t.Context(), f.person(f.a, tenants.RightOrgMember), f.a, in.ID, hand.ID), problem.Forbidden)
		f.must(f.service.RetryHook(t.Context(), owner, f.a, in.ID, hand.ID))
		<-o.calls
		f.wantHook(in, hand.ID, services.HookProvisioned)
		wants(t, f.service.RetryHook(t.Context(), owner, f.a, in.ID, hand.ID), problem.Conflict)
		if n := f.recorded(journal.InstHookRetried); n != 1 {
			t.Errorf("%d retries are journalled", n)
		}
		wants(t, f.service.RetryHook(t.Context(), owner, f.a, in.ID, "sa::nobody"), problem.NotFound)

		o.mu.Lock()
		defer o.mu.Unlock()
		var events []string
		for _, said := range o.events {
			events = append(events, said[0])
			if n := len(slices.Compact(slices.Clone(said))); n != 1 {
				t.Errorf("one key stood for %v", said)
			}
		}
		slices.Sort(events)
		want := []string{"account.created " + account.ID, "account.created sa::hand", "account.ended " + account.ID}
		slices.Sort(want)
		if !slices.Equal(events, want) {
			t.Errorf("it was told %v, want %v", events, want)
		}
	})
}

func (f *fleet) wantHook(in services.ServiceInstance, account string, want services.HookState) {
	f.t.Helper()
	f.waitHook(in, account, func(h services.Hook) bool { return h.State == want })
}

// waitHook waits until a hook is as wanted: what came of a call is noted after it.
func (f *fleet) waitHook(in services.ServiceInstance, account string, ok func(services.Hook) bool) {
	f.t.Helper()
	var last services.Hook
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		for _, a := range f.accounts(in) {
			if a.ID == account {
				last = a.Hook
			}
		}
		if ok(last) {
			return
		}
	}
	f.t.Fatalf("the hook is %+v", last)
}
