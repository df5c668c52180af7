package peer

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Knocker is [Forwarder.RoundTripper] for who finds out whether a site can be
// reached: it tries whatever the breaker says, and tells the breaker. Its callers
// are few and come at their own pace.
func (f *Forwarder) Knocker(to Target) (http.RoundTripper, error) {
	s, err := f.site(to)
	return knocker{s}, err
}

type knocker struct{ *site }

func (k knocker) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := k.send(r)
	k.breaker.report(false, judge(r.Context(), err))
	if err != nil {
		return nil, explain(r.Context(), k.hear(r.Context(), err))
	}
	return res, nil
}

// lastWord is how long a site that has accepted a connection is waited for to say
// why it will not have it.
const lastWord = time.Second

// hear finds out why a connection broke that had been made. We are done with the
// handshake before the other end has seen our certificate (RFC 8446 §2), so what
// we then write can meet a closed connection, and the alert that says why is lost
// behind that. Without writing anything it is heard.
func (k knocker) hear(ctx context.Context, err error) error {
	var dial *dialError
	if ctx.Err() != nil || errors.As(err, &dial) {
		return err
	}
	conn, again := k.dial(ctx, protoHTTP2)
	if again != nil {
		return err
	}
	defer conn.Close()
	if conn.SetReadDeadline(time.Now().Add(lastWord)) != nil {
		return err
	}
	if _, heard := conn.Read(make([]byte, 1)); Refused(heard) {
		return heard
	}
	return err
}

// remoteError is what package tls calls an alert of the other end.
const remoteError = "remote error"

// Refused reports whether err is the other end's refusal of a handshake in which
// it has proven itself: it says so to sites that are not associated with it.
func Refused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == remoteError
}
