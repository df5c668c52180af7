package relay_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
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
	"causeway/internal/problem"
	"causeway/internal/relay"
	"causeway/internal/secret"
	"causeway/internal/store"
	"causeway/internal/trail"
	"causeway/services"
	"causeway/tenants"
)

const acme = "6f0f3f5e-1f3c-4a3f-9a51-0e7a0f3f9b01"

// nowhere knows no organization.
type nowhere struct{}

func (nowhere) Organization(context.Context, tenants.OrgID) (*tenants.Snapshot, error) {
	return nil, problem.New(problem.NotFound, "none")
}

// world is a site's journal with somebody to be told of it.
type world struct {
	t    *testing.T
	db   *store.DB
	keys *secret.Keys
	key  []byte // by which calls are signed
	logs *logs

	mu  sync.Mutex
	now time.Time
}

func newWorld(t *testing.T, db *store.DB) *world {
	keys, err := secret.NewKeys(bytes.Repeat([]byte{7}, 32))
	w := &world{t: t, db: db, keys: keys, key: []byte("a-key-that-signs-what-is-told-32"), logs: &logs{}, now: time.Now()}
	w.ok(err)
	return w
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// record writes n rows, every second of them of acme.
func (w *world) record(n int) {
	w.t.Helper()
	for i := range n {
		org := acme
		if i%2 == 1 {
			org = "other"
		}
		w.ok(w.db.Webhooks().InTx(w.t.Context(), func(tx relay.Tx) error {
			return tx.Record(journal.Entry{
				At: w.clock(), Org: org, Actor: journal.Actor{Kind: "user", ID: "u", Name: "Jane", Org: string(tenants.SystemOrgID)}, Source: "192.0.2.1",
				Action: journal.UserUpdated, Subject: journal.Subject{Kind: journal.KindUser, ID: "s"},
			})
		}))
	}
}

// webhook begins at the beginning of the journal.
func (w *world) webhook(address string, change func(*relay.Webhook)) relay.WebhookID {
	w.t.Helper()
	hook := relay.Webhook{
		ID: relay.WebhookID(tenants.NewID()), Name: tenants.NewID(), Address: w.keys.Seal("audit-webhook-address", []byte(address)), Enabled: true, GiveUp: time.Hour,
		Secret: w.keys.Seal("audit-webhook", w.key), CreatedAt: w.clock(), UpdatedAt: w.clock(),
	}
	if change != nil {
		change(&hook)
	}
	w.ok(w.db.Webhooks().InTx(w.t.Context(), func(tx relay.Tx) error { return tx.CreateWebhook(hook) }))
	return hook.ID
}

func (w *world) state(id relay.WebhookID) (hook relay.Webhook, dead []relay.Dead) {
	w.t.Helper()
	w.ok(w.db.Webhooks().View(w.t.Context(), func(r relay.Reader) (err error) {
		if hook, err = r.Webhook(id); err == nil {
			dead, err = r.DeadLetters(id, 10)
		}
		return err
	}))
	return hook, dead
}

// deliver runs a cell until the test or the returned function ends it.
func (w *world) deliver(cell string, change func(*relay.Config)) (*relay.Deliverer, func()) {
	c := relay.Config{
		Queue: w.db.Relay(), Trail: &trail.Service{Store: w.db.Trail(), Orgs: nowhere{}, Site: "site"}, Holder: cell, Keys: w.keys, Now: w.clock,
		Rules: services.AddressRules{Allow: func(_ context.Context, a netip.Addr) bool { return a.IsLoopback() }},
		Log:   slog.New(slog.NewTextHandler(w.logs, nil)), Interval: 5 * time.Millisecond, FirstPause: time.Millisecond,
	}
	if change != nil {
		change(&c)
	}
	d := relay.New(c)
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.Run(ctx)
	}()
	stop := func() { cancel(); <-done }
	w.t.Cleanup(stop)
	return d, stop
}

// until waits for something that is to happen.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("%s did not happen; the log says\n%s", what, w.logs)
		}
	}
}

// logs are what was logged.
type logs struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// call is one that a receiver got.
type call struct {
	id   string
	body struct {
		Type string
		Data trail.Record
	}
}

// receiver is an HTTPS endpoint that checks what it gets as the Standard Webhooks say.
type receiver struct {
	*httptest.Server
	w *world

	mu    sync.Mutex
	calls []call
	times int              // asked, whatever was answered
	say   http.HandlerFunc // instead of taking it; nil takes it
}

func newReceiver(w *world) *receiver {
	r := &receiver{w: w}
	r.Server = httptest.NewTLSServer(r)
	w.t.Cleanup(r.Close)
	return r
}

func (r *receiver) trust(c *relay.Config) {
	pool := x509.NewCertPool()
	pool.AddCert(r.Certificate())
	c.Trust = &tls.Config{RootCAs: pool}
}

func (r *receiver) answers(say http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.say = say
}

func (r *receiver) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(in.Body)
	id, at := in.Header.Get("webhook-id"), in.Header.Get("webhook-timestamp")
	if signed := relay.Sign(r.w.key, id, at, body); err != nil || in.Header.Get("webhook-signature") != signed {
		r.w.t.Errorf("a call without its signature: %v, %v", in.Header, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.times++
	if r.say != nil {
		r.say(out, in)
		return
	}
	c := call{id: id}
	if err := json.Unmarshal(body, &c.body); err != nil {
		r.w.t.Errorf("%v: %s", err, body)
	}
	r.calls = append(r.calls, c)
}

func (r *receiver) seqs() (list []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		list = append(list, c.body.Data.Seq)
	}
	return list
}

func (r *receiver) asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.times
}
