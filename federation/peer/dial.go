package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"causeway/internal/http1"
)

const (
	// nextAfter is how long a candidate may be silent before the next one is
	// tried beside it (RFC 8305 §5 recommends 250 ms): a black hole at the head of
	// the list costs this, not a whole timeout.
	nextAfter = 250 * time.Millisecond
	// maxCandidates bounds what a peer's own word can make us try.
	maxCandidates = 8
)

var errNoCandidate = errors.New("no address is known")

// dial connects to the peer at whichever candidate proves to be it first. This
// is the only place where another address is tried: no byte has been sent yet.
func (s *site) dial(ctx context.Context, proto string) (net.Conn, error) {
	if !s.forwarder.beginDial() {
		return nil, &dialError{net.ErrClosed}
	}
	defer s.forwarder.dials.Done()
	ctx, cancel := context.WithTimeout(ctx, s.forwarder.cfg.ConnectTimeout)
	defer cancel()
	defer context.AfterFunc(s.forwarder.base, cancel)()

	to := s.target.Load()
	tried := map[string]bool{}
	conn, err := s.race(ctx, proto, s.shunned(untried(tried, to.Candidates(ctx))))
	if err != nil && to.Fallback != nil {
		var again error
		if conn, again = s.race(ctx, proto, untried(tried, to.Fallback(ctx))); again == nil {
			return conn, nil
		}
		err = errors.Join(err, again)
	}
	if errors.Is(err, ErrUnknownKey) && s.rekey(ctx) {
		conn, err = s.race(ctx, proto, slices.Sorted(maps.Keys(tried)))
	}
	if err != nil {
		return nil, &dialError{err}
	}
	return conn, nil
}

// rekey reports whether other keys prove the site than those just dialed with.
func (s *site) rekey(ctx context.Context) bool {
	to := *s.target.Load()
	if to.Rekey == nil {
		return false
	}
	keys := to.Rekey(ctx)
	if len(keys) == 0 || s.conns.keeps(keys) {
		return false
	}
	to.Keys = keys
	s.target.Store(&to)
	s.conns.keep(keys)
	return true
}

func untried(tried map[string]bool, addrs []string) []string {
	var fresh []string
	for _, a := range addrs {
		if !tried[a] && len(fresh) < maxCandidates {
			tried[a] = true
			fresh = append(fresh, a)
		}
	}
	return fresh
}

// shunned moves the address whose connection was lost to the end: the cell behind
// it may accept connections and serve none.
func (s *site) shunned(addrs []string) []string {
	bad := s.shun.Load()
	if bad == nil {
		return addrs
	}
	slices.SortStableFunc(addrs, func(a, b string) int {
		switch {
		case a == *bad && b != *bad:
			return 1
		case b == *bad && a != *bad:
			return -1
		}
		return 0
	})
	return addrs
}

// race dials addrs in order, the next one as soon as one fails or is slow, and
// returns the first that finishes the handshake.
func (s *site) race(ctx context.Context, proto string, addrs []string) (net.Conn, error) {
	if len(addrs) == 0 {
		return nil, errNoCandidate
	}
	var losers sync.WaitGroup
	defer losers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result)
	try := func(addr string) {
		conn, err := s.connect(ctx, proto, addr)
		select {
		case results <- result{conn, err}:
		case <-ctx.Done():
			if conn != nil {
				conn.Close()
			}
		}
	}
	next := time.NewTimer(0)
	defer next.Stop()
	var failed []error
	for started := 0; len(failed) < len(addrs); {
		select {
		case <-next.C:
			if started < len(addrs) {
				addr := addrs[started]
				started++
				losers.Go(func() { try(addr) })
				next.Reset(nextAfter)
			}
		case r := <-results:
			if r.err == nil {
				return r.conn, nil
			}
			failed = append(failed, r.err)
			next.Reset(0)
		case <-ctx.Done():
			return nil, errors.Join(append(failed, ctx.Err())...)
		}
	}
	return nil, errors.Join(failed...)
}

// connect makes one connection and proves who is there.
func (s *site) connect(ctx context.Context, proto, addr string) (net.Conn, error) {
	over, err := s.open(ctx, proto, &conn{addr: addr, pinged: proto == protoHTTP2})
	if err != nil {
		return nil, err
	}
	s.last.Store(&addr)
	return over, nil
}

// open connects raw to its address.
func (s *site) open(ctx context.Context, proto string, raw *conn) (*tls.Conn, error) {
	cfg, addr := s.forwarder.cfg, raw.addr
	ctx, cancel := context.WithTimeout(ctx, cfg.DialTimeout)
	defer cancel()
	to := s.target.Load()
	allow := to.Allow
	if allow == nil {
		allow = cfg.AllowAddr
	}
	plain, err := dialing(cfg.Dial, allow)(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	raw.Socket, raw.set = http1.Socket{Conn: plain}, &s.conns
	c := cfg.Identity.ClientTLS(to.Site, to.Keys)
	c.NextProtos = []string{proto}
	// For a balancer in front of the peer; proves nothing. The name in addr is the
	// peer's to choose, and would be said to whoever is there.
	c.ServerName = hostOf(to.Origin)
	over := tls.Client(raw, c)
	if err := over.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("%s: %w", addr, err)
	}
	if err := s.conns.add(raw, over.ConnectionState()); err != nil {
		raw.Close()
		return nil, fmt.Errorf("%s: %w", addr, err)
	}
	// net/http's transport has HTTP/2 only: on HTTP/1.1 it would send some requests
	// again by itself, and an assertion is good for once.
	if got := over.ConnectionState().NegotiatedProtocol; got != proto {
		over.Close()
		return nil, fmt.Errorf("%s: speaks %q and not %s", addr, got, proto)
	}
	return over, nil
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialing is dial, or the host's network. dial knows addresses and no names.
func dialing(dial dialFunc, allow AddrFilter) dialFunc {
	if dial == nil {
		return dialer(allow).DialContext
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if err := allowed(ctx, addr, allow); err != nil {
			return nil, err
		}
		return dial(ctx, network, addr)
	}
}

func allowed(ctx context.Context, addr string, allow AddrFilter) error {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return err
	}
	if allow != nil && !allow(ctx, ap.Addr().Unmap()) {
		return fmt.Errorf("address %s is not allowed", ap.Addr())
	}
	return nil
}

// dialer refuses addresses after resolution, so that no name can lead around.
func dialer(allow AddrFilter) *net.Dialer {
	return &net.Dialer{
		KeepAlive: 15 * time.Second,
		ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
			return allowed(ctx, address, allow)
		},
	}
}
