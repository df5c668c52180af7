package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// asks are one call of each kind.
func asks(w *tenant) map[string]error {
	ctx := context.Background()
	_, _, rotated := w.db.OAuth().Rotate(ctx, w.rotation(7)) // never the current token
	_, head := w.db.Journal().Head(ctx)
	return map[string]error{
		"Ping": w.db.Ping(ctx), "Rotate": rotated, "Head": head,
		"InTx":  w.db.OAuth().InTx(ctx, func(tx oauth.Tx) error { return tx.LockServiceAccount(w.org, w.account) }),
		"View":  w.db.OAuth().View(ctx, func(r oauth.Reader) error { return second(r.Session(w.session.ID)) }),
		"Touch": w.db.OAuth().Touch(ctx, map[tenants.SessionID]time.Time{w.session.ID: now}),
	}
}

func TestUnavailable_R13_SQLiteClosed(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, storetest.SQLite)
	w := newTenant(t, db, "Own")
	ok(t, db.Close())
	for name, err := range asks(w) {
		if !problem.Has(err, problem.Unavailable) {
			t.Errorf("%s: got %v, want unavailable", name, err)
		}
	}
}

// The server goes away with connections open, and comes back.
func TestUnavailable_R13_PostgresAway(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(storetest.URL(t, storetest.Postgres))
	ok(t, err)
	p := &proxy{server: u.Host}
	p.start(t, "127.0.0.1:0")
	u.Host = p.listener.Addr().String()
	w := newTenant(t, storetest.Open(t, u.String()), "Own")
	for range 2 {
		p.stop()
		start := time.Now()
		for name, err := range asks(w) {
			if !problem.Has(err, problem.Unavailable) {
				t.Errorf("%s: got %v, want unavailable", name, err)
			}
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("it took %v to find out", took)
		}
		p.start(t, u.Host)
		for name, err := range asks(w) {
			if err != nil {
				t.Errorf("%s, when the server is back: %v", name, err)
			}
		}
	}
	p.stop()
}

// proxy is a network between us and the server that can break.
type proxy struct {
	server   string
	listener net.Listener
	mu       sync.Mutex
	conns    []net.Conn
	running  sync.WaitGroup
}

func (p *proxy) start(t *testing.T, addr string) {
	t.Helper()
	var err error
	p.listener, err = net.Listen("tcp", addr)
	ok(t, err)
	p.running.Go(func() {
		for {
			client, err := p.listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", p.server)
			if err != nil {
				_ = client.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, client, server)
			p.mu.Unlock()
			for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
				p.running.Go(func() {
					_, _ = io.Copy(pair[0], pair[1])
					_ = pair[0].Close()
				})
			}
		}
	})
}

func (p *proxy) stop() {
	_ = p.listener.Close()
	p.mu.Lock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
	p.mu.Unlock()
	p.running.Wait()
}

func TestUnavailable_R13_WhenTimeIsUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTenant(t, db, "Own")
		ctx, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		_, _, err := db.OAuth().Rotate(ctx, w.rotation(1))
		wantProblem(t, err, problem.Unavailable)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the cause is lost: %v", err)
		}
		wantProblem(t, db.OAuth().InTx(ctx, func(oauth.Tx) error { return nil }), problem.Unavailable)
		wantProblem(t, db.OAuth().View(ctx, func(r oauth.Reader) error {
			_, err := r.Session(w.session.ID)
			return err
		}), problem.Unavailable)
		if _, did, err := db.OAuth().Rotate(t.Context(), w.rotation(1)); !did || err != nil {
			t.Errorf("a rotation that was given up took the token: %v, %v", did, err)
		}
	})
}

// A waiting caller may give up while somebody else holds the database, and
// views go on meanwhile.
func TestWaitingHonoursTheContext_R13(t *testing.T) {
	t.Parallel()
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		db, err := store.Open(t.Context(), store.Config{URL: storetest.URL(t, kind), MaxConns: 2}) // one for transactions
		ok(t, err)
		defer db.Close()
		w := newTenant(t, db, "Own")
		inOAuth(t, db, func(oauth.Tx) error {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			wantProblem(t, db.OAuth().InTx(ctx, func(oauth.Tx) error { return nil }), problem.Unavailable)
			_, _, err := db.OAuth().Rotate(ctx, w.rotation(1))
			wantProblem(t, err, problem.Unavailable)
			w.status(t, now) // a view within a transaction
			return nil
		})
	})
}

// Neither errors nor logs hold what was bound to a statement: names, digests,
// password hashes.
func TestNoSecrets_R12_InErrorsAndLogs(t *testing.T) {
	t.Parallel()
	storetest.EachKind(t, func(t *testing.T, kind storetest.Kind) {
		var log bytes.Buffer
		db, err := store.Open(t.Context(), store.Config{URL: storetest.URL(t, kind), Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		ok(t, err)
		defer db.Close()
		w := newTenant(t, db, "Own")
		const mark = "$argon2id$zzsecretzz"
		d := w.newDevice(oauth.DevicePending)
		d.UserCode, d.DeviceCode, d.UserAgent = w.device.UserCode, oauth.Digest("zzsecretzz"), "zzsecretzz"
		f := w.newFamily()
		f.Current = oauth.Digest("zzsecretzz")
		for _, err := range []error{
			db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
				return tx.CreateUser(tenants.User{ProviderType: tenants.ProviderIntegrated, ID: w.user, Org: w.org, Name: "zzsecretzz", Role: w.role, PasswordHash: mark})
			}),
			db.Tenants().InTx(t.Context(), func(tx tenants.Tx) error {
				return tx.CreateUser(tenants.User{ProviderType: tenants.ProviderIntegrated, ID: newID[tenants.UserID](), Org: w.org, Role: w.role, PasswordHash: mark})
			}),
			db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error { return tx.CreateDevice(d) }),
			db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error { return tx.CreateFamily(f) }),
			db.OAuth().InTx(t.Context(), func(tx oauth.Tx) error {
				return tx.CreateSigningKey(oauth.SigningKey{ID: "k", Private: []byte("zzsecretzz")})
			}),
		} {
			if err == nil {
				t.Error("this was to fail")
				continue
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if text := fmt.Sprint(e, problem.From(e).Detail); strings.Contains(text, "zzsecretzz") || strings.Contains(text, fmt.Sprintf("%x", "zzsecretzz")) {
					t.Errorf("the error holds a value: %s", text)
				}
			}
		}
		if !db.Quiet() {
			t.Error("gorm logs, and its lines hold values")
		}
		if strings.Contains(log.String(), "zzsecretzz") {
			t.Errorf("the log holds a value: %s", log.String())
		}
	})
}

// A reader's connection cannot write, whoever gets hold of it.
func TestViewCannotWrite(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ok(t, db.Tenants().View(t.Context(), func(r tenants.Reader) error {
			if _, can := r.(tenants.Tx); can {
				t.Error("a view hands out a transaction")
			}
			return nil
		}))
	})
}

// A SQLite file may be in a folder with any name.
func TestOpenSQLite_StrangePaths(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a b%20c'd.db")
	db := storetest.Open(t, "sqlite://"+file)
	ok(t, db.Migrate(t.Context()))
	newTenant(t, db, "Own")
	if found, _ := filepath.Glob(filepath.Dir(file) + "/*.db"); len(found) != 1 || found[0] != file {
		t.Errorf("the database is at %v, want %s", found, file)
	}
}
