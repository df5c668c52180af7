package http1

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Transport sends small requests on connections of its own and leaves the others to
// net/http's: those with a body of unknown length or of more than [MaxBody], what
// asks for another protocol, and what waits for leave to go on. All settings are those
// of Other, which must set every one that is used here, and no proxy.
type Transport struct {
	Other *http.Transport

	mu    sync.Mutex
	idle  map[place][]*kept // the one used last at the end
	open  int               // idle ones
	prune *time.Timer
}

// place is where connections lead.
type place struct{ scheme, host string }

// kept is a connection that is kept for the next.
type kept struct {
	*Conn
	at    place
	since time.Time // idle
}

// MaxBody is the longest body that is written before an answer is read: it fits into
// what the two ends of a connection hold, so that nobody waits for the other.
const MaxBody = 16 << 10

// RoundTrip sends r. A connection that was kept may be closed by the other end at
// that moment: where nothing came back and r may be sent twice, it is, on another
// one (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !small(r) {
		return t.Other.RoundTrip(r)
	}
	at, limits := place{r.URL.Scheme, r.URL.Host}, Limits{Head: t.Other.MaxResponseHeaderBytes, Wait: t.Other.ResponseHeaderTimeout}
	for {
		c := t.take(at)
		used := c != nil
		if !used {
			var err error
			if c, err = t.dial(r.Context(), at); err != nil {
				return nil, err
			}
		}
		res, err := c.Ask(r, limits, func(again bool) { t.give(c, again) })
		if err == nil || !used || c.Answered() || isTimeout(err) || !replays(r) {
			return res, err
		}
	}
}

// small reports whether all of r is written before its answer is awaited.
func small(r *http.Request) bool {
	if r.Close || r.Header["Upgrade"] != nil || r.Header["Expect"] != nil || len(r.Trailer) > 0 {
		return false
	}
	return (bodiless(r) || r.ContentLength > 0 && r.ContentLength <= MaxBody) && isASCII(r.URL.Host)
}

// isASCII is of names that need no conversion (RFC 5891).
func isASCII(host string) bool {
	for i := range len(host) {
		if host[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func bodiless(r *http.Request) bool { return r.Body == nil || r.Body == http.NoBody }

// replays reports whether r may be sent twice.
func replays(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return bodiless(r) && r.Context().Err() == nil
	}
	return false
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// dial opens a connection for one exchange, after which it is kept.
func (t *Transport) dial(ctx context.Context, at place) (*kept, error) {
	addr := at.host
	name, _, err := net.SplitHostPort(addr)
	if err != nil { // no port
		name = strings.Trim(addr, "[]")
		addr = net.JoinHostPort(name, ports[at.scheme])
	}
	conn, err := t.Other.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	socket := &Socket{Conn: conn}
	if at.scheme != "https" {
		return &kept{Conn: New(socket, socket), at: at}, nil
	}
	over := tls.Client(socket, t.tls(name))
	ctx, cancel := context.WithTimeout(ctx, t.Other.TLSHandshakeTimeout)
	defer cancel()
	if err := over.HandshakeContext(ctx); err != nil {
		socket.Close()
		return nil, err
	}
	return &kept{Conn: New(socket, over), at: at}, nil
}

var ports = map[string]string{"http": "80", "https": "443"}

func (t *Transport) tls(name string) *tls.Config {
	c := t.Other.TLSClientConfig.Clone()
	if c == nil {
		c = &tls.Config{}
	}
	c.ServerName = cmp.Or(c.ServerName, name)
	c.NextProtos = []string{"http/1.1"}
	return c
}
