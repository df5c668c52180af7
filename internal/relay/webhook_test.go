package relay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/relay"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
)

// A webhook is told of each row, in order, signed, with what proves it; one of an
// organization of its rows alone, and no more of them than its members may know.
func TestWebhook_R12_TellsEachRowInOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		all, own := newReceiver(w), newReceiver(w)
		w.record(4)
		id := w.webhook(all.URL+"/hook", nil)
		w.webhook(own.URL, func(h *relay.Webhook) { h.Org = acme })
		w.webhook(all.URL, func(h *relay.Webhook) { h.Enabled = false })
		d, _ := w.deliver("one", all.trust)
		w.until("the first rows", func() bool { return len(all.seqs()) == 4 })
		w.record(2)
		w.until("the next rows", func() bool { return len(all.seqs()) == 6 && len(own.seqs()) == 3 })
		if got := fmt.Sprint(all.seqs(), own.seqs()); got != "[1 2 3 4 5 6] [1 3 5]" {
			t.Errorf("told of %s", got)
		}
		first, theirs := all.calls[0], own.calls[0]
		if r := first.body.Data; first.body.Type != "user.updated" || len(r.Hash) != 32 || r.Entry.Source != "192.0.2.1" || r.Site != "site" {
			t.Errorf("the provider is told %+v", first)
		}
		if r := theirs.body.Data; len(r.Hash)+len(r.Prev) != 0 || r.Entry.Source != "" {
			t.Errorf("a tenant is told %+v", r)
		}
		if all.calls[1].id == first.id || !strings.HasPrefix(first.id, "msg_") {
			t.Errorf("ids %s and %s", first.id, all.calls[1].id)
		}
		w.until("the last cursor", func() bool { hook, _ := w.state(id); return hook.Seq == 6 })
		if hook, _ := w.state(id); hook.Delivered.IsZero() || !hook.Failing.IsZero() || hook.Dead != 0 {
			t.Errorf("%+v", hook)
		}
		if n := d.Count(relay.KindWebhook, relay.Delivered); n != 9 {
			t.Errorf("%d were counted", n)
		}
		if strings.Contains(w.logs.String(), string(w.key)) {
			t.Error("the secret was logged")
		}
	})
}

// What an endpoint does not take is tried again, keeps what follows waiting, is put
// aside in time, and comes when somebody asks for it.
func TestWebhook_RetriesPutsAsideAndRedelivers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		r := newReceiver(w)
		r.answers(func(out http.ResponseWriter, _ *http.Request) {
			http.Error(out, "secret words", http.StatusInternalServerError)
		})
		w.record(3)
		id := w.webhook(r.URL, nil)
		d, _ := w.deliver("one", r.trust)
		w.until("a second attempt", func() bool { w.pass(10 * time.Millisecond); return r.asked() >= 2 })
		hook, dead := w.state(id)
		if hook.Seq != 0 || hook.Failing.IsZero() || hook.Error != "The webhook answered 500." || len(dead) != 0 || d.Waiting(relay.KindWebhook) < 0 {
			t.Errorf("%+v, %+v", hook, dead)
		}
		w.pass(2 * time.Hour)
		w.until("the end of patience", func() bool { w.pass(10 * time.Millisecond); hook, _ := w.state(id); return hook.Dead == 3 })
		_, dead = w.state(id)
		if len(dead) != 1 || dead[0].First != 1 || dead[0].Last != 3 || dead[0].Rows != 3 || dead[0].Error != "The webhook answered 500." {
			t.Errorf("put aside: %+v", dead)
		}
		r.answers(nil)
		w.record(2)
		w.until("what came later", func() bool { w.pass(10 * time.Millisecond); return len(r.seqs()) == 2 })
		w.ok(db.Webhooks().InTx(t.Context(), func(tx relay.Tx) error {
			n, err := tx.Redeliver(id)
			if n != 3 {
				t.Errorf("%d rows are to be delivered again", n)
			}
			return err
		}))
		w.until("what was put aside", func() bool { hook, _ := w.state(id); return hook.Dead == 0 })
		if got := fmt.Sprint(r.seqs()); got != "[4 5 1 2 3]" {
			t.Errorf("told of %s", got)
		}
		if hook, _ := w.state(id); hook.Seq != 5 || !hook.Failing.IsZero() || hook.Error != "" {
			t.Errorf("%+v", hook)
		}
		if strings.Contains(w.logs.String(), "secret words") {
			t.Error("what the endpoint answered was logged")
		}
		if d.Count(relay.KindWebhook, relay.PutAside) != 3 || d.Count(relay.KindWebhook, relay.Retried) == 0 {
			t.Error("it was not counted")
		}
	})
}

// A cell that dies between the call and its note has another one call again, with the
// same id; and a cell that stops hands over at once.
func TestWebhook_R13_AtLeastOnceAcrossCells(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		r := newReceiver(w)
		w.record(3)
		id := w.webhook(r.URL, nil)
		forgetful := &forgets{Queue: db.Relay(), after: 1}
		_, stop := w.deliver("one", func(c *relay.Config) { r.trust(c); c.Queue = forgetful })
		w.until("a call that is not noted", func() bool { return forgetful.forgot.Load() })
		stop()
		before := len(r.seqs())
		w.deliver("two", r.trust)
		w.until("all rows", func() bool { hook, _ := w.state(id); return hook.Seq == 3 })
		got := r.seqs()
		if before < 2 || !slices.Equal(slices.Compact(slices.Sorted(slices.Values(got))), []int64{1, 2, 3}) || got[before] != 2 || !slices.IsSorted(got[before:]) {
			t.Errorf("told of %v, of which %d by the first cell", got, before)
		}
		if r.calls[1].id != r.calls[before].id {
			t.Errorf("the same row has the ids %s and %s", r.calls[1].id, r.calls[before].id)
		}
	})
}

// forgets is a queue whose cell dies after some notes.
type forgets struct {
	relay.Queue
	after  int
	forgot atomic.Bool
}

func (f *forgets) Save(ctx context.Context, sink string, p relay.Progress) error {
	if f.after--; f.after < 0 {
		f.forgot.Store(true)
		return errors.New("gone")
	}
	return f.Queue.Save(ctx, sink, p)
}

// Two cells do not deliver at once.
func TestWebhook_OneCellDelivers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		r := newReceiver(w)
		id := w.webhook(r.URL, nil)
		for _, cell := range []string{"one", "two", "three"} {
			w.deliver(cell, r.trust)
		}
		w.record(20)
		w.until("all rows", func() bool { hook, _ := w.state(id); return hook.Seq == 20 })
		if got := r.seqs(); len(got) != 20 || !slices.IsSorted(got) {
			t.Errorf("told of %v", got)
		}
	})
}

// Whatever an endpoint does, it is not followed elsewhere, costs no memory and no
// other endpoint's time, and addresses that are not allowed are not called.
func TestWebhook_R9_HostileEndpoints(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, storetest.SQLite)
	w := newWorld(t, db)
	good, elsewhere := newReceiver(w), newReceiver(w)
	plain := newPlain(t)
	release := make(chan struct{})
	says := map[string]http.HandlerFunc{
		"/redirect": func(out http.ResponseWriter, r *http.Request) {
			http.Redirect(out, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"/endless": func(out http.ResponseWriter, r *http.Request) {
			out.WriteHeader(http.StatusTeapot)
			for r.Context().Err() == nil {
				if _, err := out.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		},
		"/slow": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-release:
			}
		},
		"/hangs-up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	server := newHandlers(t, says)
	t.Cleanup(func() { close(release) }) // before the server closes
	w.record(2)
	ids := map[string]relay.WebhookID{}
	for path := range says {
		ids[path] = w.webhook(server.URL+path, nil)
	}
	ids["plain"] = w.webhook(plain.URL, nil)
	other := w.webhook("https://192.0.2.1/hook", nil) // not a loopback address
	taken := w.webhook(good.URL, nil)
	w.deliver("one", func(c *relay.Config) { good.trust(c); c.Trust.RootCAs.AddCert(server.Certificate()) })
	w.until("the good one's rows", func() bool { hook, _ := w.state(taken); return hook.Seq == 2 })
	for path, why := range map[string]string{
		"/redirect": "The webhook answered 307.", "/endless": "The webhook answered 418.", "/hangs-up": "could not be reached", "plain": "is not https",
	} {
		w.until(path, func() bool { hook, _ := w.state(ids[path]); return strings.Contains(hook.Error, why) && hook.Seq == 0 })
	}
	w.until("the refusal of an address", func() bool {
		hook, _ := w.state(other)
		return strings.Contains(hook.Error, "could not be reached") && strings.Contains(w.logs.String(), "does not allow")
	})
	for path := range says {
		if strings.Contains(w.logs.String(), path) {
			t.Errorf("the log holds %s of an address, which may be a secret", path)
		}
	}
	if elsewhere.asked() != 0 || plain.asked.Load() != 0 {
		t.Error("somebody was called who is not allowed to be")
	}
}

// A test is one signed call, out of turn, that also a disabled webhook gets and that
// leaves how far it is as it was.
func TestWebhook_R12_ATestIsOneCallOutOfTurn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		r := newReceiver(w)
		w.record(1)
		id := w.webhook(r.URL, func(h *relay.Webhook) { h.Enabled = false })
		d, _ := w.deliver("one", r.trust)
		hook, _ := w.state(id)
		if why := d.Try(t.Context(), hook); why != "" || r.asked() != 1 || r.calls[0].body.Type != relay.TypeTest || !strings.HasPrefix(r.calls[0].id, "msg_") {
			t.Errorf("%q: %d calls, %+v", why, r.asked(), r.calls)
		}
		if hook, _ := w.state(id); hook.Seq != 0 || !hook.Delivered.IsZero() {
			t.Errorf("the test counts as delivered: %+v", hook)
		}
		r.answers(func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(http.StatusBadGateway) })
		if why := d.Try(t.Context(), hook); why != "The webhook answered 502." {
			t.Errorf("a test that fails says %q", why)
		}
	})
}
