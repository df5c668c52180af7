package store_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/internal/upkeep"
	"causeway/tenants"
)

// blackhole is a way to a server that can begin to swallow everything: nothing
// is refused, nothing is closed, and nobody answers.
type blackhole struct {
	swallow atomic.Bool
}

// open puts the hole before PostgreSQL and returns the URL that leads through it.
func (b *blackhole) open(t *testing.T, to string) string {
	t.Helper()
	u, err := url.Parse(to)
	ok(t, err)
	network, addr, q := "tcp", u.Host, u.Query()
	if folder := q.Get("host"); folder != "" {
		network, addr = "unix", folder+"/.s.PGSQL."+q.Get("port")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, addr)
			if err != nil {
				client.Close()
				return
			}
			go b.copy(server, client)
			go b.copy(client, server)
		}
	}()
	q.Del("host")
	q.Del("port")
	u.Host, u.RawQuery = l.Addr().String(), q.Encode()
	return u.String()
}

func (b *blackhole) copy(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if b.swallow.Load() {
			_, _ = io.Copy(io.Discard, from) // for good, as a path does that has moved
			return
		}
		if n > 0 {
			_, err = to.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// When the database is gone and nobody says so, the work of the background ends
// with an error and goes on with a new connection; so does a transaction whose
// caller waits for ever.
func TestBackground_EndsWhenPacketsAreSwallowed(t *testing.T) {
	t.Parallel()
	var b blackhole
	db := storetest.Open(t, b.open(t, storetest.URL(t, storetest.Postgres)))
	db.SetLongest(300 * time.Millisecond)
	u, ctx := db.Upkeep(), store.Background(context.Background())
	for name, f := range map[string]func() error{
		"a statement": func() error {
			_, err := u.Hold(ctx, upkeep.Lease{Name: "work", Holder: "a", For: time.Minute})
			return err
		},
		"a view": func() error {
			return db.Tenants().View(ctx, func(r tenants.Reader) error { _, err := r.EveryOrganizationLimits(); return err })
		},
		"rows": func() error { _, err := u.Sweep(ctx, "sessions", keep.Before(now), nil, 10); return err },
		"a transaction": func() error {
			return db.Tenants().InTx(context.Background(), func(tx tenants.Tx) error { return tx.EndSessions(tenants.SystemOrgID, now) })
		},
	} {
		ok(t, f())
		b.swallow.Store(true)
		start := time.Now()
		if err := f(); !problem.Has(err, problem.Unavailable) {
			t.Errorf("%s: %v after %v", name, err, time.Since(start))
		}
		b.swallow.Store(false)
		for err := f(); err != nil; err = f() { // each connection that is dead costs one try
			if !problem.Has(err, problem.Unavailable) || time.Since(start) > 20*time.Second {
				t.Fatalf("%s, and the network is whole again: %v", name, err)
			}
		}
	}
}
